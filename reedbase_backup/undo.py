"""A restore that can be undone, and undoing it, once.

What the restore replaces is moved into `.reedbackup-undo-{token}/` in the base: no copy is made,
but its room is not free until it is brought back, or another such restore keeps something else.
It may be removed by hand at any time. No other restore, and no backup, touches it.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.comparing.unsaved import unsaved_files
from reedbase_backup.disk.base_lock import base_locked, open_base
from reedbase_backup.disk.existence import folder_exists
from reedbase_backup.disk.folders import close
from reedbase_backup.disk.many_locks import tables_locked
from reedbase_backup.disk.mounts import mount_points
from reedbase_backup.errors import IoError, translated
from reedbase_backup.picks import at_or_before
from reedbase_backup.restore import restore_picked, whole_seconds
from reedbase_backup.sizes import live_bytes, live_tables
from reedbase_backup.swap import undo
from reedbase_backup.swap.transaction import recover
from reedbase_backup.swap.undo import Replaced
from reedbase_backup.types import BasePath, RestoreReport

NOTHING = "find_undo"
"""The operation of the IoError that says that nothing is kept."""


def restore_undoably(base_path: BasePath, target_timestamp: int) -> RestoreReport:
    """Do what `restore_point_in_time` does, and keep what is replaced, for `undo_restore`.

    All files are written, those too that are live as they were backed up: what stayed where it
    is could not be brought back once it is written to. Raise as that does, and IoError where a
    folder in tables/ or indices/ is a mount point, or cannot be moved for another reason.
    """
    pick = at_or_before(whole_seconds(target_timestamp))
    return restore_picked(base_path, pick, undoable=True)[1]


def undo_restore(base_path: BasePath) -> RestoreReport:
    """Bring back, once, what the last restore that kept it has replaced.

    tables/ and indices/ are then exactly what they were before that restore: content, modes,
    times, owners, and what no backup could hold; what was live is gone. A process killed at any
    point leaves all of the one or all of the other, which the next call completes. The report
    has what there is now.

    Raise IoError where nothing is kept, where a mount point is in the way or the disk fails,
    PermissionDenied where what is kept is another user's, LockTimeout where another process
    keeps the base or a table locked. Then the live trees have not changed and it is still kept,
    or, where the disk has failed for good midway, the error says what the next call will do.
    """
    started = time.monotonic_ns()
    base = os.fsdecode(base_path)
    with translated("undo"):
        if not folder_exists(base):
            raise IoError("open_base", f"{base} is not a folder")
    with base_locked(base) as folder, translated("undo"):
        recover(folder)
        kept = undo.replaced(folder)
        if kept is None:
            raise IoError(
                NOTHING, f"{base} keeps nothing that a restore replaced, or it is back already"
            )
        if mounted := mount_points(folder, ROOTS):
            raise IoError("undo", f"{min(mounted)} is a mount point; unmount it first")
        with tables_locked(folder):
            undo.bring_back(folder, kept.token)
        return RestoreReport(
            tables_restored=live_tables(base),
            total_bytes=live_bytes(base),
            duration_ms=(time.monotonic_ns() - started) // 10**6,
        )


def replaced(base_path: BasePath) -> Replaced | None:
    """Return what `undo_restore` would bring back; None where that is nothing.

    Changes nothing on disk. Raise IoError, or PermissionDenied where it is another user's.
    """
    with translated("undo"):
        folder = open_base(os.fsdecode(base_path))
        try:
            return undo.replaced(folder)
        finally:
            close(folder)


def unsaved_by_undo(base_path: BasePath, kept: Replaced) -> list[str]:
    """Return the live files, by path, that neither a backup nor what is `kept` has as they are.

    Changes nothing on disk. Raise IoError, PermissionDenied or LockTimeout.
    """
    base = os.fsdecode(base_path)
    return [name for name in unsaved_files(base) if not _is_kept(base, name, kept)]


def _is_kept(base: str, name: str, kept: Replaced) -> bool:
    """Return whether what comes back has this very file."""
    import filecmp

    root, _, below = name.partition("/")
    with suppress(OSError, KeyError):
        live, other = os.path.join(base, name), os.path.join(base, kept.roots[root], below)
        are_files = all(stat.S_ISREG(os.lstat(path).st_mode) for path in (live, other))
        return are_files and filecmp.cmp(live, other, shallow=False)
    return False
