"""Live files that are what the backup holds already: linked into the staged trees, not written.

A new inode is dear, above all on ext4 soon after others were deleted, and the live
tree mostly differs little from the backup. A link only adds a name. What must never
be is one to a file that is not the backup's, or that changes before the swap. So:

1. `offer` is asked while the archive is read. It looks at size, mode, owner and time.
2. `link`, once the archive is verified and the tables' locks are held, adds the names.
3. `read` reads the files through them: their content is hashed, and all is noted that
   a change would change, ctime among it, which the link has moved.
4. `look_again`, just before the swap, finds each live name as it was noted.

Who does not heed the locks, and changes a file after it was read, has changed its
ctime, too. In any doubt, and where the system refuses a link or a look, `Unlinkable`
says which files are to be written instead.

As long as a file is in the live tree and in the staged one, to write to one is to write
to both. So after a kill, the next call undoes a restore that has moved nothing yet, and
completes it else (`transaction.recover`). That the live tree linked from is gone by then
is true of the root that is moved first, as one: only there are files linked.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial

from reedbase_backup.archive.admission import ROOTS, ArchiveEntry
from reedbase_backup.archive.beside import Job, Threads
from reedbase_backup.archive.manifest import Record
from reedbase_backup.disk.change_times import TICK_NS
from reedbase_backup.disk.folders import opened
from reedbase_backup.swap.live_file import Stamp, is_like, read, read_at
from reedbase_backup.swap.ownership import Ownership
from reedbase_backup.swap.plan import Layout
from reedbase_backup.swap.working_folders import WorkingFolder

SWITCH = "REEDBACKUP_LINK"
"""The environment variable that, as 0, has a restore write every file."""

_LINKED = f"{ROOTS[0]}/"

# Writers wait while the files are read; those of `last/` give up after about 5 s.
_MOST_BYTES = 256 << 20
# Read in 0.8 ms, which is far more than it takes to start a thread.
_LARGE = 1 << 20


class Unlinkable(OSError):
    """The live files `names` are to be written after all; nothing live has changed."""

    def __init__(self, names: set[str]) -> None:
        super().__init__(errno.ESTALE, "it changed while it was restored", min(names))
        self.names = names


class LiveLinks:
    """The files that one restore links; `base` is open, and `folders` are where `layout` stages.

    The files `excluded` are none of them; where that is None, no file is.
    """

    def __init__(
        self,
        base: int,
        layout: Layout,
        folders: list[WorkingFolder],
        excluded: frozenset[str] | None,
    ) -> None:
        self._base = base
        self._layout = layout
        self._folders = folders
        # What is relied upon here of links and times was looked up for Linux alone.
        is_fit = sys.platform == "linux" and not layout.kept
        self._excluded = excluded if is_fit else None
        self._ownership = Ownership()
        self._room = _MOST_BYTES
        self._stamps: dict[str, dict[str, Stamp]] = {}
        """By folder and name in it, as found first, and after `read` as linked."""
        self._seen_at = 0.0
        """When all names had been looked at, or linked, by the monotonic clock."""

    @property
    def are_wanted(self) -> bool:
        """Whether files may be linked at all."""
        return self._excluded is not None

    @property
    def are_large(self) -> bool:
        """Whether there is so much to read that a thread is worth its start meanwhile."""
        return _MOST_BYTES - self._room >= _LARGE

    def __contains__(self, name: str) -> bool:
        folder, _, own = name.rpartition("/")
        return own in self._stamps.get(folder, ())

    def __iter__(self) -> Iterator[str]:
        return (name for folder in self._stamps for name in self._names_in(folder))

    def offer(self, entry: ArchiveEntry) -> bool:
        """Return whether the file `entry` is to be linked, and so not to be written."""
        if self._excluded is None or entry.name in self._excluded or entry.size > self._room:
            return False
        if not is_linking_root(entry.name):
            return False
        try:
            # Through symlinks, too: a link is only made in folders opened without any.
            live = os.stat(entry.name, dir_fd=self._base, follow_symlinks=False)
        except OSError:
            return False
        if not is_like(live, entry) or not self._ownership.can_give(entry):
            return False
        self._room -= entry.size
        folder, _, name = entry.name.rpartition("/")
        self._stamps.setdefault(folder, {})[name] = Stamp.of(live)
        return True

    def check_times(self, records: Mapping[str, Record]) -> None:
        """Raise Unlinkable where a time is not just that of the verified archive's `records`.

        Headers, which is all that `offer` sees, have whole seconds.
        """
        _refuse(self._failing(lambda folder: self._with_other_times(folder, records)))
        self._seen_at = time.monotonic()

    def link(self) -> None:
        """Add the names to the staged trees; the tables must be locked. Raise Unlinkable."""
        _refuse(self._failing(self._not_linked))
        self._seen_at = time.monotonic()

    def read(self, records: Mapping[str, Record]) -> None:
        """Hold what was linked against the verified archive's `records`. Raise Unlinkable."""
        self._wait()
        _refuse(self._not_backed_up(records, is_linked=True))

    def are_backed_up(self, records: Mapping[str, Record]) -> bool:
        """Return whether what is to be linked, and is not yet, has the content of `records`."""
        newest = max(
            (one.ctime_ns for of in self._stamps.values() for one in of.values()), default=0
        )
        if newest >= time.time_ns() - TICK_NS:
            self._wait()
        return not self._not_backed_up(records, is_linked=False)

    def _wait(self) -> None:
        """Wait until what changes from now on gets another ctime than what was seen has.

        Two changes within one tick of the file system's clock give one.
        """
        time.sleep(max(0, self._seen_at + TICK_NS / 10**9 - time.monotonic()))

    def look_again(self) -> None:
        """Raise Unlinkable where a live file is not the one that was read, or has changed since."""
        _refuse(self._failing(self._changed))

    def _names_in(self, folder: str) -> Iterator[str]:
        return (f"{folder}/{name}" for name in self._stamps[folder])

    def _failing(self, failing: Callable[[str], Iterator[str]]) -> set[str]:
        """Return the files that are `failing`, of all folders; where one cannot be told, all."""
        failed: set[str] = set()
        for folder in self._stamps:
            try:
                failed.update(f"{folder}/{name}" for name in failing(folder))
            except OSError:
                failed.update(self._names_in(folder))
        return failed

    def _with_other_times(self, folder: str, records: Mapping[str, Record]) -> Iterator[str]:
        for name, stamp in self._stamps[folder].items():
            if stamp.mtime_ns != records[f"{folder}/{name}"].mtime_ns:
                yield name

    def _not_linked(self, folder: str) -> Iterator[str]:
        number, place = self._staged(folder)
        with (
            opened(self._base, folder) as live,
            opened(self._folders[number].new, place) as staged,
        ):
            for name in self._stamps[folder]:
                try:
                    os.link(name, name, src_dir_fd=live, dst_dir_fd=staged, follow_symlinks=False)
                except OSError:
                    # Whatever the reason, writing needs no link.
                    yield name

    def _not_backed_up(self, records: Mapping[str, Record], *, is_linked: bool) -> set[str]:
        """Return the files that have not the content of `records`, and note what the others are."""
        with closing(Threads(most=1)) as beside:
            large = _Alternation(beside)
            failed = self._failing(
                lambda folder: self._differing_in(folder, records, is_linked, large)
            )
            for folder, name, stamp in large:
                if stamp is None:
                    failed.add(f"{folder}/{name}")
                else:
                    self._stamps[folder][name] = stamp
        return failed

    def _differing_in(
        self, folder: str, records: Mapping[str, Record], is_linked: bool, large: _Alternation
    ) -> Iterator[str]:
        """Yield the files in a folder that are not as backed up, but those that `large` takes."""
        stamps = self._stamps[folder]
        number, place = self._staged(folder)
        top, place = (self._folders[number].new, place) if is_linked else (self._base, folder)
        links = 2 if is_linked else 1
        with opened(top, place) as itself:
            for name, before in stamps.items():
                digest = records[f"{folder}/{name}"].digest
                if before.size >= _LARGE:
                    reading = partial(read_at, top, f"{place}/{name}", before, links, digest)
                    large.add(folder, name, reading)
                elif (stamp := read(itself, name, before, links, digest)) is not None:
                    stamps[name] = stamp
                else:
                    yield name

    def _changed(self, folder: str) -> Iterator[str]:
        with opened(self._base, folder) as live:
            for name, stamp in self._stamps[folder].items():
                if Stamp.of(os.stat(name, dir_fd=live, follow_symlinks=False)) != stamp:
                    yield name

    def _staged(self, folder: str) -> tuple[int, str]:
        """Return the working folder's number, and where what is in `folder` is staged in it."""
        number, path = self._layout.locate(f"{folder}/{next(iter(self._stamps[folder]))}")
        return number, path.rpartition("/")[0]


def is_linking_root(name: str) -> bool:
    """Return whether a file of this name may be linked: in the root that is moved first."""
    return name.startswith(_LINKED)


class _Alternation:
    """What large files were found to be, of which every other one is read by a thread meanwhile.

    They are those of all folders: else, at each folder's end, one would wait for the other.
    """

    def __init__(self, beside: Threads) -> None:
        self._beside = beside
        self._found: list[tuple[str, str, Job[Stamp | None] | Stamp | None]] = []

    def add(self, folder: str, name: str, read: Callable[[], Stamp | None]) -> None:
        """Have a file read."""
        job = None if len(self._found) % 2 else self._beside.take(read)
        self._found.append((folder, name, job or read()))

    def __iter__(self) -> Iterator[tuple[str, str, Stamp | None]]:
        for folder, name, found in self._found:
            yield folder, name, found.result() if isinstance(found, Job) else found


def _refuse(names: set[str]) -> None:
    if names:
        raise Unlinkable(names)
