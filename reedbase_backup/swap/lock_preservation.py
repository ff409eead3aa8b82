"""Lock files that outlive a restore, for the writers that wait for them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress

from reedbase_backup.disk.durable import NO_HARD_LINKS, sync_tree
from reedbase_backup.disk.folders import Attributes, open_up, opened, status
from reedbase_backup.disk.table_lock import LOCK_NAME
from reedbase_backup.swap.working_folders import WorkingFolder

LINK = "lock"
"""The name, in a working folder's old/, of the lock file that is being moved to its table."""

Locate = Callable[[str], tuple[int, str]]
"""Says of a place by which folder it is staged, by number, and the name below its new/."""

# The system lets not everybody link to everybody's files, nor without end.
_NOT_TO_BE_LINKED = (errno.EACCES, errno.EXDEV, *NO_HARD_LINKS)


def preserve_locks(
    base: int, locate: Locate, folders: list[WorkingFolder], *, undoable: bool = False
) -> dict[str, Attributes]:
    """Put the live tables' lock files into the tables that take their place, durably.

    A writer that waits for a live `.lock` while the trees are swapped must end up
    with the one that everybody else then takes. Both are empty, so nothing is lost;
    one that differs in mode or owner, or holds anything, stays as it was backed up.

    These are below the new/ of the `folders`, where `locate` says. Return the kept ones whose
    times are not those of the backup, with what they are to be given once they are in place;
    all that are kept where that is `undoable`, for what is replaced has them, too. Raise OSError.
    """
    try:
        with opened(base, "tables") as tables:
            names = sorted(os.listdir(tables))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    other_times = {}
    changed: dict[int, list[str]] = {}
    for name in names:
        place = f"tables/{name}/{LOCK_NAME}"
        number, staged = locate(place)
        live, backed_up = seen(base, place), seen(folders[number].new, staged)
        if live is None or backed_up is None or not _are_alike(live, backed_up):
            continue
        if os.path.samestat(live, backed_up):
            # Linked already.
            continue
        if _link(base, f"tables/{name}", folders[number], staged):
            changed.setdefault(number, []).append(staged.rpartition("/")[0] or ".")
            if undoable or live.st_mtime_ns != backed_up.st_mtime_ns:
                other_times[place] = Attributes.of(backed_up)
    for number, names in changed.items():
        sync_tree(folders[number].new, names)
    return other_times


def seen(top: int, place: str) -> os.stat_result | None:
    """Return the status of what is at `place`; None, too, where that is closed to this user."""
    with suppress(PermissionError):
        return status(top, place)
    return None


def _link(base: int, table: str, folder: WorkingFolder, staged: str) -> bool:
    """Put the live lock file in place of the staged one, and return whether that is allowed."""
    try:
        with opened(base, table) as live:
            os.link(LOCK_NAME, LINK, src_dir_fd=live, dst_dir_fd=folder.old, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_LINKED:
            raise
        return False
    above = staged.rpartition("/")[0]
    if not above:
        os.rename(LINK, staged, src_dir_fd=folder.old, dst_dir_fd=folder.new)
        return True
    # What the link changes of the folder is put back; and some modes let nobody change it.
    before = status(folder.new, above)
    assert before is not None
    open_up(folder.new, above)
    with opened(folder.new, above) as parent:
        os.rename(LINK, LOCK_NAME, src_dir_fd=folder.old, dst_dir_fd=parent)
        os.utime(parent, ns=(before.st_atime_ns, before.st_mtime_ns))
        if stat.S_IMODE(os.fstat(parent).st_mode) != stat.S_IMODE(before.st_mode):
            os.fchmod(parent, stat.S_IMODE(before.st_mode))
    return True


def _are_alike(one: os.stat_result, other: os.stat_result) -> bool:
    """Return whether both are empty regular files of one mode and owner."""
    return (
        stat.S_ISREG(one.st_mode)
        and one.st_size == other.st_size == 0
        and (one.st_mode, one.st_uid, one.st_gid) == (other.st_mode, other.st_uid, other.st_gid)
    )
