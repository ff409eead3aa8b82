"""The folders in which a restore works, and how to tell them from others of such names.

    {base}/.reedbackup-staging-{token}/   nothing that is needed: being filled, or thrown away
    {base}/.reedbackup-commit-{token}/    the same folder from when its journal counts,
        journal                           until all that it says is done
        new/                              what is still to be installed
        old/                              what was replaced
    {base}/.reedbackup-undo-{token}/      the same folder where what was replaced is kept

Where tables/ or a folder in it cannot be moved, as a mount point, it has a
`.reedbackup-staging-{token}` of its own, on its own file system, which the
journal of the first one names.

The token is random, so that nothing can have been put there beforehand. Such a
folder is ours only if it is a real one, closed to others, of this user, of root
or of the base's owner; anything else is left as it is, and in nobody's way.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import (
    Attributes,
    give,
    is_folder,
    open_up,
    opened,
    remove_tree,
    status,
)
from reedbase_backup.swap import journal as journal_file
from reedbase_backup.swap.journal import Exchange, Journal, NoJournal

_STAGING = ".reedbackup-staging-"
_COMMIT = ".reedbackup-commit-"
_UNDO = ".reedbackup-undo-"
_KINDS = ("commit", "staging", "undo")
_ROOT = 0
_NAME = re.compile(rf"\.reedbackup-({'|'.join(_KINDS)})-([0-9a-f]{{16}})", re.ASCII)


def new_token() -> str:
    """Return a part of a name that nobody can foresee."""
    return os.urandom(8).hex()


def staging_name(token: str) -> str:
    """Return the folder's name while nothing in it is needed."""
    return _STAGING + token


def commit_name(token: str) -> str:
    """Return the folder's name while its journal counts."""
    return _COMMIT + token


def undo_name(token: str) -> str:
    """Return the folder's name while it keeps what a restore has replaced."""
    return _UNDO + token


class Tokens(NamedTuple):
    """The tokens in a base's names of working folders, of any kind."""

    committed: list[str]
    staging: list[str]
    undo: list[str]


def tokens(base: int | str) -> Tokens:
    """Return those of the base that is open, or at a path. Raise OSError."""
    matches = [match for name in sorted(os.listdir(base)) if (match := _NAME.fullmatch(name))]
    return Tokens(*([match[2] for match in matches if match[1] == kind] for kind in _KINDS))


def is_cut_off(base_path: str) -> bool:
    """Return whether a restore is left midway, for the next call to complete or undo."""
    try:
        return bool(tokens(base_path).committed)
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class WorkingFolder:
    """A working folder, and the new/ and old/ in it, all open."""

    itself: int
    new: int
    old: int


def make(folder: int, name: str) -> None:
    """Make an empty working folder `name` in the open `folder`. Raise OSError."""
    os.mkdir(name, 0o700, dir_fd=folder)
    with opened(folder, name) as working:
        for part in ("new", "old"):
            os.mkdir(part, 0o700, dir_fd=working)


@contextmanager
def opened_all(base: int, name: str, token: str, journal: Journal) -> Iterator[list[WorkingFolder]]:
    """Yield the working folder `name` in the base, and those in other places that `journal` needs.

    Raise NoJournal where one of them is not ours, FileNotFoundError with the place where one is
    not there, as when a file system is not mounted any more, or OSError.
    """
    with ExitStack() as stack:
        folders = []
        # Without a step, a kill may have come before the others were made.
        for place in journal.staging_places if journal.steps else journal.staging_places[:1]:
            folder = stack.enter_context(opened(base, place))
            path = staging_name(token) if place else name
            if place and status(folder, path) is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)
            working = stack.enter_context(_opened_ours(base, folder, path))
            parts = [stack.enter_context(_opened_ours(base, working, p)) for p in ("new", "old")]
            folders.append(WorkingFolder(working, *parts))
        yield folders


@contextmanager
def _opened_ours(base: int, folder: int, name: str) -> Iterator[int]:
    if not is_ours(base, status(folder, name)):
        raise NoJournal
    with opened(folder, name) as working:
        yield working


def is_ours(base: int, folder: os.stat_result | None) -> bool:
    """Return whether `folder` is one that only its owner opens: this user, root or the base's."""
    if folder is None or not stat.S_ISDIR(folder.st_mode) or folder.st_mode & 0o077:
        return False
    return folder.st_uid in (os.geteuid(), os.fstat(base).st_uid, _ROOT)


def trusted_journal(base: int, token: str, name: str | None = None) -> Journal:
    """Return the journal of a commit, where all it needs is there and is what it should be.

    The folder may have another `name`. Raise NoJournal, or OSError.
    """
    name = name or commit_name(token)
    with _opened_ours(base, base, name) as folder:
        journal = journal_file.read(folder)
    with opened_all(base, name, token, journal) as folders:
        for step in journal.steps:
            if isinstance(step, Exchange) and step.staged is not None:
                _check_staged(folders[step.folder], step.place, step.staged)
    return journal


def kept_journals(base: int) -> list[tuple[str, Journal]]:
    """Return the tokens and journals of the restores that keep what they replaced, newest first.

    Raise PermissionError where one is another user's, or OSError.
    """
    found: list[tuple[int, str, Journal]] = []
    for token in tokens(base).undo:
        with suppress(NoJournal):
            journal = trusted_journal(base, token, undo_name(token))
            if journal.forward and journal.kept_at is not None:
                found.append((journal.kept_at, token, journal))
    return [(token, journal) for _, token, journal in sorted(found, reverse=True)]


def let_go(base: int) -> None:
    """Have all working folders that keep something thrown away but the newest. Raise OSError."""
    newest = [token for token, _ in kept_journals(base)][:1]
    for token in tokens(base).undo:
        name = undo_name(token)
        if newest and token not in newest and is_ours(base, status(base, name)):
            os.rename(name, staging_name(token), src_dir_fd=base, dst_dir_fd=base)


def _check_staged(folder: WorkingFolder, place: str, staged: str) -> None:
    new = status(folder.new, staged)
    if new is None or is_folder(new):
        return
    if not stat.S_ISREG(new.st_mode) or "/" not in place:
        raise NoJournal


def discard(base: int, token: str) -> None:
    """Throw a working folder away, as far as it can be removed now; the next call tries again."""
    name = staging_name(token)
    begun: set[str] = set()
    # Twice: what fails once must leave nothing in live folders after a success.
    for _ in range(2):
        with suppress(OSError):
            with suppress(NoJournal), _opened_ours(base, base, name) as folder:
                _discard_inner(base, token, journal_file.read(folder), begun)
            if is_ours(base, status(base, name)):
                remove_tree(base, name)
            return


def _discard_inner(base: int, token: str, done: Journal, begun: set[str]) -> None:
    """Remove the working folders in live folders, and give those their times again.

    `begun` are the live folders in which that was begun before.
    """
    name = staging_name(token)
    for place in sorted(done.staging_places[1:], reverse=True):
        if status(base, place) is None:
            continue  # It is gone, with all that was in it.
        with opened(base, place) as folder:
            is_there = is_ours(base, status(folder, name))
            if not is_there and place not in begun:
                continue
            begun.add(place)
            kept = done.attributes[place][done.forward]
            open_up(base, place)
            if is_there:
                remove_tree(folder, name)
            if kept is not None:
                give_back(base, place, kept)
            # Before the journal goes, which alone knows of this folder.
            sync_folder(folder, place)


def give_back(base: int, place: str, wanted: Attributes) -> None:
    """Do `give`, as far as the system lets this user give things away."""
    try:
        give(base, place, wanted)
    except OSError as error:
        # As in a container: the mode and the times are what matters.
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise
        current = status(base, place)
        if current is not None:
            owner = current.st_uid, current.st_gid
            give(base, place, Attributes(wanted.mode, *owner, wanted.mtime_ns))
