"""restore_point_in_time (ticket 060-OPS-01, `restore.rs`)."""

from __future__ import annotations

import errno
import operator
import os
import time
from contextlib import ExitStack, suppress

from reedbase_backup import catalogue, retention
from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.base_lock import base_locked
from reedbase_backup.disk.existence import folder_exists
from reedbase_backup.disk.many_locks import tables_locked
from reedbase_backup.disk.mounts import mount_points
from reedbase_backup.errors import (
    IoError,
    ReedError,
    translated,
    with_outlook,
)
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick, at_or_before
from reedbase_backup.swap.extract import extract
from reedbase_backup.swap.in_place import is_in_place
from reedbase_backup.swap.links import SWITCH, LiveLinks, Unlinkable
from reedbase_backup.swap.lock_preservation import preserve_locks
from reedbase_backup.swap.steps import Unmovable
from reedbase_backup.swap.transaction import Transaction, recover
from reedbase_backup.types import U64_MAX, BasePath, RestoreReport


def restore_point_in_time(base_path: BasePath, target_timestamp: int) -> RestoreReport:
    """Bring tables/ and indices/ back to the newest backup up to a time.

    `target_timestamp` is in Unix seconds, 0 to 2^64-1. The whole archive is
    verified and on disk before the live trees are touched; a process killed at
    any point leaves the old trees or the new ones, which the next backup or
    restore of the base completes.

    Raise TypeError for a target that is no whole number, ValueError for one out
    of range, BackupNotFound where every backup is later, BackupCorrupted or
    BackupUnsafe where the one to restore is damaged or hostile, IoError or
    PermissionDenied where the disk fails, LockTimeout where another process keeps
    the base or a table locked. Then the live trees have not changed, or, where the
    disk has failed for good midway, the error says what the next call will do.
    (ticket 060-OPS-01, "Public Functions"; contract `ticket`, restore/*)
    """
    return restore_picked(base_path, at_or_before(whole_seconds(target_timestamp)))[1]


def restore_picked(
    base_path: BasePath,
    pick: Pick,
    meter: Meter | None = None,
    *,
    undoable: bool = False,
) -> tuple[BackupName, RestoreReport]:
    """Do what `restore_point_in_time` does with the backup to `pick`, and return its name, too.

    The `meter` tells how much of the archive is read. Where what is replaced is kept, to be
    `undoable`, every file is written, as with SWITCH at 0. Raise what `pick` raises where that
    is none.
    """
    started = time.monotonic_ns()
    base = os.fsdecode(base_path)
    with translated("restore"):
        if not folder_exists(base):
            pick([])
    with base_locked(base) as folder, translated("restore"):
        recover(folder)
        # Where this user may not, what was retired is no backup to be picked.
        with suppress(PermissionError):
            retention.bring_back(base)
        name = pick(catalogue.archive_names(base))
        restoring = _restore_undoable if undoable else _restore
        contents = restoring(folder, base, name, meter or Meter())
    return name, RestoreReport(
        tables_restored=contents.table_count,
        total_bytes=contents.total_bytes,
        duration_ms=(time.monotonic_ns() - started) // 10**6,
    )


def whole_seconds(target_timestamp: int) -> int:
    """Return a target as a plain int, whatever kind of whole number (as of NumPy) it was."""
    words = f"the target must be Unix seconds in 0 ... 2^64-1, not {target_timestamp!r}"
    try:
        target = operator.index(target_timestamp)
    except TypeError as error:
        raise TypeError(words) from error
    if isinstance(target_timestamp, bool):
        raise TypeError(words)
    if not 0 <= target <= U64_MAX:
        raise ValueError(words)
    return target


def _restore_undoable(base: int, base_path: str, name: BackupName, meter: Meter) -> Contents:
    """Restore `name`, and keep what is replaced, which is whole only where all of it is moved."""
    try:
        if mounted := mount_points(base, ROOTS):
            raise Unmovable(errno.EBUSY, os.strerror(errno.EBUSY), min(mounted))
        transaction = Transaction(base, frozenset(), undoable=True)
        return _swapped(transaction, base, base_path, name, None, meter)
    except Unmovable as error:
        words = "cannot be moved, as a mount point, so that this restore could not be undone"
        raise IoError("restore", f"{error.filename} {words}; restore it without that") from error


def _restore(base: int, base_path: str, name: BackupName, meter: Meter) -> Contents:
    """Restore `name`; begin again for what turns out to be unmovable, or not to be linked."""
    unmovable = mount_points(base, ROOTS)
    unlinkable = None if os.environ.get(SWITCH) == "0" else frozenset[str]()
    while True:
        try:
            transaction = Transaction(base, unmovable)
            return _swapped(transaction, base, base_path, name, unlinkable, meter)
        except Unmovable as error:
            if error.filename in unmovable:
                raise
            unmovable |= {error.filename}
        except Unlinkable as error:
            # Where the next attempt finds others, somebody is changing the live tree.
            unlinkable = None if unlinkable else frozenset(error.names)


def _swapped(
    transaction: Transaction,
    base: int,
    base_path: str,
    name: BackupName,
    unlinkable: frozenset[str] | None,
    meter: Meter,
) -> Contents:
    # Until all is undone, should it come to that.
    with ExitStack() as locks:
        try:
            with transaction.staged() as folders:
                layout = transaction.layout
                links = LiveLinks(base, layout, folders, unlinkable)
                with catalogue.open_archive(base_path, name) as file:
                    # Files are linked, or not as a whole attempt.
                    reader = ArchiveReader(file, name.file_name, passes_over=unlinkable is not None)
                    # Its index, at the end, has been read by now.
                    meter.watch(file.tell)
                    extraction = extract(reader, base_path, layout, folders, links)
                locks.enter_context(tables_locked(base))
                if not is_in_place(base, extraction, links):
                    extraction.complete()
                    kept_files = preserve_locks(
                        base, layout.locate, folders, undoable=transaction.is_undoable
                    )
                    links.look_again()
                    transaction.commit(folders, kept_files)
        except BaseException as error:
            outlook = transaction.abandon()
            if outlook is None or not isinstance(error, OSError | ReedError):
                raise
            raise with_outlook(error, "restore", outlook) from error
    meter.settle()
    transaction.discard()
    return extraction.contents
