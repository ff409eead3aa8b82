"""Replacing tables/ and indices/ by others so that a kill at any point leaves all old or all new.

What is to be done is on disk before it is done (`journal`), what has been done
is seen on the disk (`steps`), and nothing in memory decides anything: an error, an
interrupt and a kill are all finished by the same code, in this call or the next.
A working folder with a replaced tree in it is thrown away (`works`) only when it
has lost the name under which it counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import Attributes, is_folder, open_up, opened, status
from reedbase_backup.disk.many_locks import tables_locked
from reedbase_backup.errors import IoError
from reedbase_backup.swap import journal, steps
from reedbase_backup.swap.journal import Journal, NoJournal, Removal
from reedbase_backup.swap.plan import Layout, Planner
from reedbase_backup.swap.steps import Unmovable
from reedbase_backup.swap.working_folders import (
    WorkingFolder,
    commit_name,
    discard,
    make,
    new_token,
    opened_all,
    staging_name,
    tokens,
    trusted_journal,
)

COMPLETED = "the restore is committed: the next create or restore completes it"
TAKEN_BACK = "the restore is being undone: the next create or restore completes that"
UNKNOWN = "the next create or restore completes the restore, or undoes it"


class Transaction:
    """New trees for the base that is open as `base`, which must be locked.

    `unmovable` are the places in tables/ and indices/ that no rename moves.
    """

    def __init__(self, base: int, unmovable: frozenset[str]) -> None:
        self.layout = Layout(unmovable)
        self._base = base
        # Known before there is such a folder: whatever interrupts, it is found again.
        self._token = new_token()
        self._found: dict[str, Attributes] = {}
        """The folders that stay in place, as they were before anything was staged in them."""

    @contextmanager
    def staged(self) -> Iterator[list[WorkingFolder]]:
        """Makes the working folders, and opens them. Raises IoError, or OSError."""
        name = staging_name(self._token)
        make(self._base, name)
        places = self.layout.places
        if len(places) > 1:
            self._stage_in(places[1:])
            name = commit_name(self._token)
        way = Journal(True, places, [Removal(place) for place in places[1:]])
        with opened_all(self._base, name, self._token, way) as folders:
            yield folders

    def commit(self, staged: list[WorkingFolder], kept_files: dict[str, Attributes]) -> None:
        """Puts the staged trees, which must be durable, in place of the live ones.

        A root that was not staged is then not there. `kept_files` are live files that
        stay, with what they are to be given. Raises Unmovable, IoError or OSError; then
        `abandon` is due.
        """
        planner = Planner(self._base, self.layout, staged, self._token, self._found)
        for place, wanted in kept_files.items():
            found = status(self._base, place)
            if found is not None:
                planner.keep_time(place, Attributes.of(found), wanted)
        way = planner.journal()
        commit = commit_name(self._token)
        if status(self._base, commit) is None:
            self._write(staging_name(self._token), way)
            self._count()
        else:
            self._write(commit, way)
        steps.go(self._base, staged, way)
        _finish(self._base, self._token)

    def discard(self) -> None:
        """Throws away what is not needed any more; what stays, the next call throws away."""
        discard(self._base, self._token)

    def abandon(self) -> str | None:
        """Undoes all that has been done, from what the disk says.

        Returns in words what the next call will do where that fails, else None.
        """
        return _abandon(self._base, self._token)

    def _stage_in(self, places: list[str]) -> None:
        """Makes working folders in live folders, which a journal names beforehand."""
        found = {place: status(self._base, place) for place in sorted(self.layout.kept)}
        for place, one in found.items():
            if not is_folder(one):
                raise IoError(
                    "restore", f"{place} is mounted there, and no folder, so it cannot be replaced"
                )
        self._found = {place: Attributes.of(one) for place, one in found.items() if one}
        attributes = {place: (one, None) for place, one in self._found.items()}
        way = Journal(False, self.layout.places, [], dict(attributes))
        # What a kill leaves is undone by the journal only where each folder is there.
        self._write(staging_name(self._token), way)
        self._count()
        for place in found:
            open_up(self._base, place)
        for place in places:
            with opened(self._base, place) as folder:
                make(folder, staging_name(self._token))

    def _write(self, name: str, way: Journal) -> None:
        with opened(self._base, name) as work:
            journal.write(work, way)

    def _count(self) -> None:
        """The one rename after which the journal counts."""
        _rename(
            self._base,
            staging_name(self._token),
            commit_name(self._token),
        )
        sync_folder(self._base, "the base")


def recover(base: int) -> None:
    """Finishes the restores that were cut off before this call, and removes what they left.

    The base is open as `base` and must be locked. Raises IoError where one is of a
    user whose folders this one may not open, LockTimeout, or OSError.
    """
    committed, _ = tokens(base)
    for token in committed:
        with suppress(NoJournal):
            _recover(base, token)
    for token in tokens(base)[1]:
        discard(base, token)


def _recover(base: int, token: str) -> None:
    try:
        way = trusted_journal(base, token)
    except PermissionError as error:
        raise IoError(
            "restore",
            f"{commit_name(token)} holds another user's restore that was cut off;"
            " let that user, or root, create a backup first",
        ) from error
    try:
        with tables_locked(base):
            _go(base, token, way)
    except OSError as error:
        outlook = _abandon(base, token)
        if outlook is None and isinstance(error, Unmovable):
            # Cut off before it could find that out; then nothing had been moved.
            return
        words = outlook or "the restore that was cut off before has been undone"
        raise _with_words(error, words) from error


def _go(base: int, token: str, way: Journal) -> None:
    with opened_all(base, commit_name(token), token, way) as folders:
        steps.go(base, folders, way)
    _finish(base, token)


def _finish(base: int, token: str) -> None:
    """Ends a restore that is in place, or undone, for good: its working folder is not needed."""
    _rename(base, commit_name(token), staging_name(token))
    # After a power cut all is seen to be done, should this have been lost.
    with suppress(OSError):
        sync_folder(base, "the base")


def _abandon(base: int, token: str) -> str | None:
    commit = commit_name(token)
    try:
        if status(base, commit) is not None:
            with opened(base, commit) as work:
                journal.turn(work)
                way = journal.read(work)
            _go(base, token, way)
    except OSError:
        return _outlook(base, token)
    discard(base, token)
    return None


def _outlook(base: int, token: str) -> str | None:
    """What the next call will do, in words."""
    try:
        if status(base, commit_name(token)) is None:
            return None
        return COMPLETED if trusted_journal(base, token).forward else TAKEN_BACK
    except (OSError, NoJournal):
        return UNKNOWN


def _rename(base: int, name: str, new_name: str) -> None:
    os.rename(name, new_name, src_dir_fd=base, dst_dir_fd=base)


def _with_words(error: OSError, words: str) -> IoError:
    where = f"{error.filename}: " if error.filename else ""
    return IoError("restore", f"{where}{error.strerror} (os error {error.errno}); {words}")
