"""Bringing back, once, what a restore has replaced and kept.

A restore that is to be undoable exchanges tables/ and indices/ as wholes, and keeps its working
folder, under the name `.reedbackup-undo-T/`, in place of throwing it away: what was replaced is
in its old/, and its journal says how that came there. So to undo it is to undo the journal, by
the code that undoes a restore which has failed:

1. Under the locks of all tables, the journal is written anew, for the live trees of now.
2. Lock files that writers may be waiting for are linked into what comes back.
3. The folder is renamed to `.reedbackup-commit-T/`, and its journal turned. From now on `recover`
   completes it: what is live moves to new/, what was replaced to its place.
4. The folder is renamed to `.reedbackup-staging-T/`, and is removed.

A kill before the journal is turned leaves the folder as it was, or a restore that is done and
that `recover` finishes again, so that it is kept as before. After an error the journal is
turned back and its steps are done again, with the same end.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace

from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import Attributes, is_folder, opened, status
from reedbase_backup.disk.table_lock import LOCK_NAME
from reedbase_backup.errors import IoError, ReedError, with_outlook
from reedbase_backup.swap import journal as journal_file
from reedbase_backup.swap import steps
from reedbase_backup.swap.journal import Exchange, Journal
from reedbase_backup.swap.lock_preservation import LINK, preserve_locks, seen
from reedbase_backup.swap.transaction import execute_turned, finish, outlook, rename
from reedbase_backup.swap.working_folders import (
    WorkingFolder,
    commit_name,
    discard,
    kept_journals,
    opened_all,
    trusted_journal,
    undo_name,
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a restore has replaced, and kept."""

    token: str
    at: int
    """When it was replaced, in Unix seconds."""
    roots: dict[str, str]
    """Where tables/ and indices/ are kept, as far as they were there, below the base."""

    @property
    def folder(self) -> str:
        """The name, in the base, of the folder that holds it."""
        return undo_name(self.token)


def replaced(base: int) -> Replaced | None:
    """Return what the open base keeps; None where that is nothing.

    Raise PermissionError where it is another user's, or OSError.
    """
    for token, journal in kept_journals(base):
        kept = {r: f"{undo_name(token)}/old/{own}" for r, own in _retired(journal).items()}
        return Replaced(token, journal.kept_at or 0, kept)
    return None


def bring_back(base: int, token: str) -> None:
    """Put what was replaced in place of what is live; the base and the tables must be locked.

    Raise OSError, or IoError; then what is live has not changed, or the error says what the
    next call will do.
    """
    name = undo_name(token)
    journal = trusted_journal(base, token, name)
    with opened_all(base, name, token, journal) as [folder]:
        journal = _as_of_now(base, folder, journal)
        journal_file.write(folder.itself, journal)
        _link_locks(base, folder, journal)
        try:
            rename(base, name, commit_name(token))
            sync_folder(base, "the base")
            journal_file.turn(folder.itself)
            steps.execute(base, [folder], journal.backward())
            finish(base, token, journal.backward())
        except BaseException as error:
            left = _keep_again(base, token)
            if left is None or not isinstance(error, OSError | ReedError):
                raise
            raise with_outlook(error, "undo", left) from error
    discard(base, token)


def _keep_again(base: int, token: str) -> str | None:
    """Do again what was undone, from what the disk says.

    Where that fails, return in words what the next call will do, else None.
    """
    try:
        execute_turned(base, token, journal_file.turn_back)
    except OSError:
        return outlook(base, token)
    return None


def _retired(journal: Journal) -> dict[str, str]:
    """Return the name in old/ of each root that is kept."""
    exchanges = (step for step in journal.steps if isinstance(step, Exchange))
    return {step.place: step.retired for step in exchanges if step.retired is not None}


def _as_of_now(base: int, folder: WorkingFolder, journal: Journal) -> Journal:
    """Return the journal of a restore that has put in place what is live now, and kept the same.

    Raise IoError where a root is no folder, PermissionError where a folder is closed to this
    user, or OSError.
    """
    retired = _retired(journal)
    exchanges: list[Exchange] = []
    # What is in the journal already may have been changed since, as a lock file that is shared.
    places = set(journal.attributes)
    for root in ROOTS:
        live, own = status(base, root), retired.get(root)
        if live is not None and not is_folder(live):
            raise IoError("undo", f"{root} is no folder any more; move it away")
        if live is not None or own is not None:
            exchanges.append(Exchange(root, 0, None if live is None else root, own))
        if _is_closed(live) or (own is not None and _is_closed(status(folder.old, own))):
            places.add(root)
    for lock in _live_locks(base):
        kept_lock = _kept_place(retired, lock)
        # What a link to another lock changes of its folder is to be given back, too.
        if kept_lock and not _are_same(status(base, lock), seen(folder.old, kept_lock)):
            places |= {lock, lock.rpartition("/")[0]}
    attributes = {}
    for place in places:
        was, _ = journal.attributes.get(place, (None, None))
        kept_place = _kept_place(retired, place)
        if was is None and kept_place is not None:
            was = _attributes(seen(folder.old, kept_place))
        live = status(base, place)
        stays = is_folder(live) and not _is_closed(live)
        attributes[place] = was, None if stays else _attributes(live)
    return replace(journal, steps=[*exchanges], attributes=attributes)


def _is_closed(folder: os.stat_result | None) -> bool:
    """Return whether it is opened up to be moved: a new parent changes its own `..`."""
    return folder is not None and is_folder(folder) and bool(~folder.st_mode & stat.S_IRWXU)


def _are_same(one: os.stat_result | None, other: os.stat_result | None) -> bool:
    return one is None or other is None or os.path.samestat(one, other)


def _attributes(found: os.stat_result | None) -> Attributes | None:
    return None if found is None else Attributes.of(found)


def _kept_place(retired: dict[str, str], place: str) -> str | None:
    """Return where, in old/, what was at `place` is kept; None where its root was not there."""
    root, slash, below = place.partition("/")
    return None if root not in retired else f"{retired[root]}{slash}{below}"


def _live_locks(base: int) -> set[str]:
    try:
        with opened(base, "tables") as tables:
            return {f"tables/{name}/{LOCK_NAME}" for name in os.listdir(tables)}
    except FileNotFoundError:
        return set()


def _link_locks(base: int, folder: WorkingFolder, journal: Journal) -> None:
    retired = _retired(journal)
    if "tables" not in retired:
        return
    with suppress(FileNotFoundError):
        # Of an undo that was cut off.
        os.unlink(LINK, dir_fd=folder.new)

    def locate(place: str) -> tuple[int, str]:
        return 0, _kept_place(retired, place) or place

    # What comes back is in old/, as what is staged is in new/.
    preserve_locks(base, locate, [WorkingFolder(folder.itself, folder.old, folder.new)])
