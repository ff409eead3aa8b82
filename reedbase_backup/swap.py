"""Replacing tables/ and indices/ by others so that a kill leaves all old or all new.

    {base}/.reedbackup-staging/     being filled or thrown away: the next call removes it
    {base}/.reedbackup-staging-0/   what could not be removed then: the next calls try again
    {base}/.reedbackup-commit/      the same folder, renamed when it is whole and durable:
        new/                        from then on the next call finishes the swap
        old/                        the trees that were replaced

The one rename from staging to commit is the point of no return. Each later
step can be repeated: a root is still to be installed while it stands in new/.
The last step renames the folder back to staging.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from itertools import count

from reedbase_backup.contents import ROOTS
from reedbase_backup.durable import remove_tree, sync_file
from reedbase_backup.presence import is_folder

_STAGING = ".reedbackup-staging"
_DISCARDED = re.compile(r"\.reedbackup-staging(-[0-9]+)?")
_COMMIT = ".reedbackup-commit"
_ABSENT_SUFFIX = ".absent"
"""Marks, in new/, a root that the backup does not have."""

_Move = tuple[str, str]


def recover(base_path: str) -> None:
    """Finishes or forgets the restore that was killed before this call, if any.

    The base must be locked. Raises OSError.
    """
    if _is_there(os.path.join(base_path, _COMMIT)):
        discard_staging(base_path)
        _roll_forward(base_path, [])
    discard_staging(base_path)


def create_staging(base_path: str) -> str:
    """An empty folder on the base's file system, to be filled with the new trees."""
    staging = os.path.join(base_path, _STAGING)
    if os.path.lexists(staging):
        # What could not be removed, as where a folder in it is another user's.
        free = (path for n in count() if not os.path.lexists(path := f"{staging}-{n}"))
        os.rename(staging, next(free))
    os.mkdir(staging, 0o700)
    os.mkdir(os.path.join(staging, "old"), 0o700)
    new = os.path.join(staging, "new")
    os.mkdir(new, 0o700)
    return new


def discard_staging(base_path: str) -> None:
    """Throws away what is staged or replaced, as far as it can be removed now."""
    names: list[str] = []
    with suppress(OSError):
        names += filter(_DISCARDED.fullmatch, os.listdir(base_path))
    for name in names:
        with suppress(OSError):
            remove_tree(os.path.join(base_path, name))


def commit(base_path: str) -> None:
    """Puts the staged trees, which must be durable, in place of the live ones.

    A root that was not staged is then not there. On an error the live trees are
    as before.
    """
    staging, committed = os.path.join(base_path, _STAGING), os.path.join(base_path, _COMMIT)
    new = os.path.join(staging, "new")
    for root in ROOTS:
        if not _is_there(os.path.join(new, root)):
            os.mkdir(os.path.join(new, root + _ABSENT_SUFFIX))
    sync_file(new)
    sync_file(staging)
    done: list[_Move] = []
    try:
        _move(staging, committed, done)
        sync_file(base_path)
        _roll_forward(base_path, done)
    except BaseException:
        for source, target in reversed(done):
            _rename(target, source)
        raise


def _roll_forward(base_path: str, done: list[_Move]) -> None:
    """Moves each staged root into its place; what is in place already stays."""
    new = os.path.join(base_path, _COMMIT, "new")
    old = os.path.join(base_path, _COMMIT, "old")
    for root in ROOTS:
        live, staged = os.path.join(base_path, root), os.path.join(new, root)
        absent = staged + _ABSENT_SUFFIX
        if _is_there(staged):
            _retire(live, old, done)
            _move(staged, live, done)
        elif _is_there(absent):
            _retire(live, old, done)
            _move(absent, os.path.join(old, root + _ABSENT_SUFFIX), done)
    for folder in (new, old, base_path):
        # After a power cut the removal may have got further than the rename below.
        if _is_there(folder):
            sync_file(folder)
    # Done: what is left is for throwing away, and must not be half there as a commit.
    _move(os.path.join(base_path, _COMMIT), os.path.join(base_path, _STAGING), done)


def _retire(live: str, old: str, done: list[_Move]) -> None:
    """Moves a live tree, if there is one, to a fresh name in `old`."""
    if os.path.lexists(live):
        fresh = f"{os.path.basename(live)}.{len(os.listdir(old))}"
        _move(live, os.path.join(old, fresh), done)


def _is_there(folder: str) -> bool:
    return is_folder(folder, follow_symlinks=False)


def _move(source: str, target: str, done: list[_Move]) -> None:
    _rename(source, target)
    done.append((source, target))


def _rename(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except PermissionError:
        mode = os.lstat(source).st_mode
        if mode & stat.S_IWUSR or not stat.S_ISDIR(mode):
            raise
        # A new parent changes the folder's own `..`, which takes the right to write.
        os.chmod(source, stat.S_IMODE(mode) | stat.S_IWUSR)
        here = source
        try:
            os.rename(source, target)
            here = target
        finally:
            os.chmod(here, stat.S_IMODE(mode))
