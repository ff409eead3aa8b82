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
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from reedbase_backup.archive.admission import ROOTS, ArchiveEntry
from reedbase_backup.archive.beside import Job, Threads
from reedbase_backup.archive.manifest import Record
from reedbase_backup.disk.folders import close, opened
from reedbase_backup.disk.source_entries import TICK_NS
from reedbase_backup.swap.ownership import Ownership
from reedbase_backup.swap.plan import Layout
from reedbase_backup.swap.working_folders import WorkingFolder

SWITCH = "REEDBACKUP_LINK"
"""The environment variable that, as 0, has a restore write every file."""

_LINKED = f"{ROOTS[0]}/"

# Writers wait while the files are read; those of `last/` give up after about 5 s.
_MOST_BYTES = 256 << 20
_CHUNK = 1 << 20
# Read in 0.8 ms, which is far more than it takes to start a thread.
_LARGE = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCK = 512
"""What `st_blocks` counts in (stat(2))."""
# Where each file has one, a new one gets it by itself.
_USUAL_XATTRS = ["security.selinux"]


class Stamp(NamedTuple):
    """What changes when a file does."""

    mode: int
    inode: int
    device: int
    links: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        return cls(
            found.st_mode,
            found.st_ino,
            found.st_dev,
            found.st_nlink,
            found.st_uid,
            found.st_gid,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )


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
        self._visit(lambda folder: self._with_other_times(folder, records))
        self._seen_at = time.monotonic()

    def link(self) -> None:
        """Add the names to the staged trees; the tables must be locked. Raise Unlinkable."""
        self._visit(self._not_linked)
        self._seen_at = time.monotonic()

    def read(self, records: Mapping[str, Record]) -> None:
        """Hold what was linked against the verified archive's `records`. Raise Unlinkable."""
        self._wait()
        self._visit(lambda folder: self._not_backed_up(folder, records, is_linked=True))

    def are_backed_up(self, records: Mapping[str, Record]) -> bool:
        """Return whether what is to be linked, and is not yet, has the content of `records`."""
        newest = max(
            (one.ctime_ns for of in self._stamps.values() for one in of.values()), default=0
        )
        if newest >= time.time_ns() - TICK_NS:
            self._wait()
        try:
            self._visit(lambda folder: self._not_backed_up(folder, records, is_linked=False))
        except Unlinkable:
            return False
        return True

    def _wait(self) -> None:
        """Wait until what changes from now on gets another ctime than what was seen has.

        Two changes within one tick of the file system's clock give one.
        """
        time.sleep(max(0, self._seen_at + TICK_NS / 10**9 - time.monotonic()))

    def look_again(self) -> None:
        """Raise Unlinkable where a live file is not the one that was read, or has changed since."""
        self._visit(self._changed)

    def _names_in(self, folder: str) -> Iterator[str]:
        return (f"{folder}/{name}" for name in self._stamps[folder])

    def _visit(self, failing: Callable[[str], Iterator[str]]) -> None:
        """Raise Unlinkable about the files that are `failing`, of all folders."""
        failed: set[str] = set()
        for folder in self._stamps:
            try:
                failed.update(f"{folder}/{name}" for name in failing(folder))
            except OSError:
                failed.update(self._names_in(folder))
        if failed:
            raise Unlinkable(failed)

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

    def _not_backed_up(
        self, folder: str, records: Mapping[str, Record], is_linked: bool
    ) -> Iterator[str]:
        stamps = self._stamps[folder]
        number, place = self._staged(folder)
        where = (self._folders[number].new, place) if is_linked else (self._base, folder)
        with opened(*where) as top, closing(Threads(most=1)) as beside:
            found = _Alternation(beside)
            for name, before in stamps.items():
                digest = records[f"{folder}/{name}"].digest
                expected = before._replace(links=2) if is_linked else before
                found.add(name, before.size, partial(read, top, name, expected, digest))
            for name, stamp in found:
                if stamp is None:
                    yield name
                else:
                    stamps[name] = stamp

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
    """What files were found to be, of which every other large one is read by a thread meanwhile."""

    def __init__(self, beside: Threads) -> None:
        self._beside = beside
        self._large = 0
        self._found: dict[str, Job[Stamp | None] | Stamp | None] = {}

    def add(self, name: str, size: int, read: Callable[[], Stamp | None]) -> None:
        """Have the file `name` of so many bytes read."""
        job = None
        if size >= _LARGE:
            self._large += 1
            job = self._beside.take(read) if self._large % 2 else None
        self._found[name] = job or read()

    def __iter__(self) -> Iterator[tuple[str, Stamp | None]]:
        for name, found in self._found.items():
            yield name, found.result() if isinstance(found, Job) else found


def is_like(live: os.stat_result, entry: ArchiveEntry) -> bool:
    """Return whether, for all that is known before reading, the live file may be `entry`'s."""
    return (
        live.st_size == entry.size
        and live.st_mtime_ns // 10**9 == entry.mtime_ns // 10**9
        and live.st_mode == stat.S_IFREG | entry.mode
        and (live.st_uid, live.st_gid) == (entry.uid, entry.gid)
        # Another name is somebody's way to the file, around the database.
        and live.st_nlink == 1
        # A file with holes would come back without.
        and live.st_blocks * _BLOCK >= live.st_size
    )


def read(folder: int, name: str, before: Stamp, digest: bytes) -> Stamp | None:
    """Return the stamp that the file has while it is read.

    None where that is none with this `digest`, or more has changed since `before` than ctime.
    """
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return None
    try:
        stamp = Stamp.of(os.fstat(descriptor))
        if stamp != before._replace(ctime_ns=stamp.ctime_ns) or _has_xattrs(descriptor):
            return None
        return stamp if _digest(descriptor, stamp.size) == digest else None
    except OSError:
        return None
    finally:
        close(descriptor)


def _digest(descriptor: int, size: int) -> bytes:
    """Return the SHA-256 of the first `size` bytes, as a manifest has it."""
    hasher = sha256()
    while size > 0 and (chunk := os.read(descriptor, min(size, _CHUNK))):
        hasher.update(chunk)
        size -= len(chunk)
    return hasher.hexdigest().encode()


def _has_xattrs(descriptor: int) -> bool:
    if sys.platform != "linux":
        return True
    try:
        return os.listxattr(descriptor) not in ([], _USUAL_XATTRS)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return False
