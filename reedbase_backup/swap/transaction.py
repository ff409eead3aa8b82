"""The whole of a restore's commit, and its recovery by the next call (see the package)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import Attributes, is_folder, open_up, opened, status
from reedbase_backup.disk.many_locks import tables_locked
from reedbase_backup.errors import IoError
from reedbase_backup.swap import journal as journal_file
from reedbase_backup.swap import steps
from reedbase_backup.swap.journal import Journal, NoJournal, Removal
from reedbase_backup.swap.plan import Layout, Planner
from reedbase_backup.swap.steps import Unmovable
from reedbase_backup.swap.working_folders import (
    WorkingFolder,
    commit_name,
    discard,
    kept_journals,
    let_go,
    make,
    new_token,
    opened_all,
    staging_name,
    tokens,
    trusted_journal,
    undo_name,
)

TAKEN_BACK = "the restore is being undone: the next create or restore completes that"
UNKNOWN = "the next create or restore completes the restore, or undoes it"


class Transaction:
    """New trees for the base that is open as `base`, which must be locked.

    `unmovable` are the places in tables/ and indices/ that no rename moves. Where that is
    `undoable`, what is replaced is kept; then nothing may be unmovable, nor stay as it is.
    """

    def __init__(self, base: int, unmovable: frozenset[str], *, undoable: bool = False) -> None:
        self.layout = Layout(unmovable)
        self.is_undoable = undoable
        self._base = base
        # Known before there is such a folder: whatever interrupts, it is found again.
        self._token = new_token()
        self._original: dict[str, Attributes] = {}
        """The folders that stay in place, as they were before anything was staged in them."""

    @contextmanager
    def staged(self) -> Iterator[list[WorkingFolder]]:
        """Make the working folders, and yield them open. Raise IoError, or OSError."""
        name = staging_name(self._token)
        make(self._base, name)
        places = self.layout.places
        if len(places) > 1:
            self._stage_in(places[1:])
            name = commit_name(self._token)
        journal = Journal(True, places, [Removal(place) for place in places[1:]])
        with opened_all(self._base, name, self._token, journal) as folders:
            try:
                yield folders
            except BaseException:
                # Now, and through the open folder: should nothing else succeed any
                # more, the next call at least undoes it.
                with suppress(OSError):
                    self._turn(folders[0])
                raise

    def commit(self, staged: list[WorkingFolder], kept_files: dict[str, Attributes]) -> None:
        """Put the staged trees, which must be durable, in place of the live ones.

        A root that was not staged is then not there. `kept_files` are live files that
        stay, with what they are to be given. Raise Unmovable, IoError or OSError; then
        `abandon` is due.
        """
        planner = Planner(self._base, self.layout, staged, self._token, self._original)
        for place, wanted in kept_files.items():
            live = status(self._base, place)
            if live is not None:
                planner.keep_file(place, Attributes.of(live), wanted)
        journal = replace(planner.journal(), kept_at=self._kept_at())
        commit = commit_name(self._token)
        if status(self._base, commit) is None:
            self._write(staging_name(self._token), journal)
            self._commit()
        else:
            self._write(commit, journal)
        steps.execute(self._base, staged, journal)
        finish(self._base, self._token, journal)

    def _kept_at(self) -> int | None:
        """Return when what is replaced is kept, if at all: after what is kept by now."""
        if not self.is_undoable:
            return None
        others = [journal.kept_at or 0 for _, journal in kept_journals(self._base)]
        return max([int(time.time()), *(at + 1 for at in others)])

    def discard(self) -> None:
        """Throw away what is not needed any more; what stays, the next call throws away."""
        if not self.is_undoable:
            discard(self._base, self._token)
            return
        with suppress(OSError):
            # What an earlier restore had kept.
            _discard_all(self._base)

    def abandon(self) -> str | None:
        """Undo all that has been done, from what the disk says.

        Where that fails, return in words what the next call will do, else None.
        """
        return _abandon(self._base, self._token)

    def _turn(self, working: WorkingFolder) -> None:
        """Have the next call undo what is committed, and not finished."""
        try:
            if status(self._base, commit_name(self._token)) is None:
                return
        except OSError:
            # Not to be seen any more. An error never comes after all is finished.
            pass
        journal_file.turn(working.itself)

    def _stage_in(self, places: list[str]) -> None:
        """Make working folders in live folders, which a journal names beforehand."""
        live = {place: status(self._base, place) for place in sorted(self.layout.kept)}
        for place, entry in live.items():
            if not is_folder(entry):
                raise IoError(
                    "restore", f"{place} is mounted there, and no folder, so it cannot be replaced"
                )
        self._original = {place: Attributes.of(entry) for place, entry in live.items() if entry}
        attributes = {place: (one, None) for place, one in self._original.items()}
        journal = Journal(False, self.layout.places, [], dict(attributes))
        # What a kill leaves is undone by the journal only where each folder is there.
        self._write(staging_name(self._token), journal)
        self._commit()
        for place in live:
            open_up(self._base, place)
        for place in places:
            with opened(self._base, place) as folder:
                make(folder, staging_name(self._token))

    def _write(self, name: str, journal: Journal) -> None:
        with opened(self._base, name) as folder:
            journal_file.write(folder, journal)

    def _commit(self) -> None:
        """Make the journal count, by one rename."""
        rename(self._base, staging_name(self._token), commit_name(self._token))
        sync_folder(self._base, "the base")


def recover(base: int) -> None:
    """Finish the restores that were cut off before this call, and remove what they left.

    The base is open as `base` and must be locked. Raise IoError where one is of a
    user whose folders this one may not open, or has a part on a file system that is
    not mounted any more; LockTimeout, or OSError.
    """
    for token in tokens(base).committed:
        with suppress(NoJournal):
            _recover(base, token)
    _discard_all(base)


def _discard_all(base: int) -> None:
    """Throw away what no call needs, and what is kept by another restore than the last that does.

    Raise OSError.
    """
    found = tokens(base)
    if len(found.undo) > 1:
        with suppress(OSError):
            let_go(base)
        found = tokens(base)
    for token in found.staging:
        discard(base, token)


def _recover(base: int, token: str) -> None:
    try:
        journal = trusted_journal(base, token)
    except PermissionError as error:
        raise IoError(
            "restore",
            f"{commit_name(token)} holds another user's restore that was cut off;"
            " let that user, or root, create a backup first",
        ) from error
    except FileNotFoundError as error:
        raise IoError(
            "restore",
            f"{commit_name(token)} holds a restore that was cut off midway, and its part in"
            f" {error.filename} is not there: mount that again, and the next create or restore"
            " completes it; where it is lost for good, move that folder away and restore again",
        ) from error
    # Until all is undone, should it come to that.
    with ExitStack() as locks:
        try:
            locks.enter_context(tables_locked(base))
            _execute(base, token, _to_its_end(base, token, journal))
        except OSError as error:
            left = _abandon(base, token)
            if left is None and isinstance(error, Unmovable):
                # Cut off before it could find that out; then nothing had been moved.
                return
            words = left or "the restore that was cut off before has been undone"
            raise _with_words(error, words) from error


def _to_its_end(base: int, token: str, journal: Journal) -> Journal:
    """Return what is to be done after a kill: nothing where nothing has been moved yet.

    The live trees may have been written to since, and with them what was linked from them.
    """
    with opened_all(base, commit_name(token), token, journal) as folders:
        if not journal.forward or steps.is_begun(folders, journal):
            return journal
        journal_file.turn(folders[0].itself)
        return journal.backward()


def _execute(base: int, token: str, journal: Journal) -> None:
    with opened_all(base, commit_name(token), token, journal) as folders:
        steps.execute(base, folders, journal)
    finish(base, token, journal)


def finish(base: int, token: str, journal: Journal) -> None:
    """End a restore that is in place, or undone, for good: its working folder is not needed.

    Unless it is to keep what was replaced; then what an earlier one kept is not needed.
    """
    is_kept = journal.forward and journal.kept_at is not None
    rename(base, commit_name(token), undo_name(token) if is_kept else staging_name(token))
    # After a power cut all is seen to be done, should this have been lost.
    with suppress(OSError):
        sync_folder(base, "the base")


def _abandon(base: int, token: str) -> str | None:
    try:
        execute_turned(base, token, journal_file.turn)
    except OSError:
        return outlook(base, token)
    discard(base, token)
    return None


def execute_turned(base: int, token: str, turn: Callable[[int], None]) -> None:
    """Turn the journal of a restore that counts, if it does, and do what it says then.

    Raise OSError.
    """
    commit = commit_name(token)
    if status(base, commit) is not None:
        with opened(base, commit) as folder:
            turn(folder)
            journal = journal_file.read(folder)
        _execute(base, token, journal)


def outlook(base: int, token: str) -> str | None:
    """Return what the next call will do, in words."""
    try:
        if status(base, commit_name(token)) is None:
            return None
        return UNKNOWN if trusted_journal(base, token).forward else TAKEN_BACK
    except (OSError, NoJournal):
        return UNKNOWN


def rename(base: int, name: str, new_name: str) -> None:
    """Give a working folder its new name. Raise OSError."""
    os.rename(name, new_name, src_dir_fd=base, dst_dir_fd=base)


def _with_words(error: OSError, words: str) -> IoError:
    where = f"{error.filename}: " if error.filename else ""
    return IoError("restore", f"{where}{error.strerror} (os error {error.errno}); {words}")
