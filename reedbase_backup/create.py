"""create_backup (ticket 060-OPS-01, `create.rs`)."""

from __future__ import annotations

import os
import stat
import time
from contextlib import ExitStack, closing

from reedbase_backup import catalogue, retention
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.predecessor import SWITCH, Predecessor
from reedbase_backup.archive.writer import ArchiveWriter
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk import durable
from reedbase_backup.disk.base_lock import base_locked
from reedbase_backup.disk.change_times import is_on_faithful_disk
from reedbase_backup.disk.folders import status
from reedbase_backup.disk.source import units
from reedbase_backup.disk.source_entries import SPECIAL
from reedbase_backup.errors import (
    BackupUnsafe,
    IoError,
    NoTablesFound,
    ReedError,
    translated,
    with_outlook,
)
from reedbase_backup.list import read_info
from reedbase_backup.meter import Meter
from reedbase_backup.swap.transaction import recover
from reedbase_backup.types import U64_MAX, BackupInfo, BasePath


def create_backup(base_path: BasePath) -> BackupInfo:
    """Back up tables/ and indices/ of the database at `base_path`.

    The archive is `{base_path}/backups/{id}.tar.gz`, on disk for good when this
    returns, and nobody can read it who could not read the database (`sharing`).
    The 32 newest backups remain, among them always this one.

    Raise IoError where the base is missing or the disk fails, NoTablesFound
    where it has no tables/, BackupUnsafe for a symlink, FIFO, socket or device
    in it, PermissionDenied for what cannot be read, LockTimeout where another
    process keeps the base or a table locked. Then nothing has changed.
    (ticket 060-OPS-01, "Public Functions"; contract `ticket`, create/*)
    """
    return create_backup_at(base_path, time.time_ns())


def create_backup_at(
    base_path: BasePath, now_ns: int, *, reuse: bool = True, meter: Meter | None = None
) -> BackupInfo:
    """Do what `create_backup` does, at the time `now_ns` (Unix nanoseconds); capability `clock`.

    Without `reuse`, nothing is taken over from the backup before, as with SWITCH at 0.
    The `meter` tells how far it is.
    """
    base = os.fsdecode(base_path)
    timestamp = now_ns // 10**9
    if not 0 <= timestamp <= U64_MAX:
        raise IoError("read_clock", f"{timestamp} s is no Unix time in u64; set the clock")
    with base_locked(base) as folder, translated("create_backup"):
        recover(folder)
        _check_tables(folder)
        durable.remove_partial_files(catalogue.backups_folder(base))
        retention.bring_back(base)
        reuse = reuse and os.environ.get(SWITCH) != "0"
        return _create(folder, base, timestamp, reuse, meter or Meter())


def _check_tables(base: int) -> None:
    """Raise NoTablesFound where nothing, or a file, is in place of tables/, else BackupUnsafe."""
    tables = status(base, "tables")
    if tables is None or stat.S_ISREG(tables.st_mode):
        raise NoTablesFound
    if not stat.S_ISDIR(tables.st_mode):
        raise BackupUnsafe("tables", SPECIAL)


def _create(folder: int, base: str, timestamp: int, reuse: bool, meter: Meter) -> BackupInfo:
    try:
        with durable.partial_file(catalogue.backups_folder(base)) as partial:
            # Before any of the database is read.
            origin = Origin.of(partial.file.fileno(), folder)
            with ExitStack() as held:
                predecessor = _predecessor(held, folder, base, origin) if reuse else None
                writer = held.enter_context(
                    closing(ArchiveWriter(partial.file, origin, predecessor))
                )
                meter.watch(lambda: writer.size)
                table_count = _add_database(writer, base)
                size_bytes = writer.finish(table_count=table_count)
            partial.share(writer.readers)
            name = catalogue.next_name(base, timestamp)
            partial.publish(name.file_name)
            retired = retention.retire(base, retention.surplus(_readable(base), name))
    except BaseException as error:
        _bring_back(base, error)
        raise
    # Whatever comes now, the new backup has its place.
    meter.settle()
    retention.delete(retired)
    return catalogue.describe(name, size_bytes, table_count)


def _predecessor(held: ExitStack, folder: int, base: str, origin: Origin) -> Predecessor | None:
    """Return the newest backup that files can be taken over from, open until `held` ends."""
    if not origin.began_ns:
        return None
    for name in catalogue.archive_names(base):
        try:
            file = catalogue.open_archive(base, name)
        except OSError:
            # Closed to this user, or on a bad sector: no reason to stop backups.
            continue
        predecessor = Predecessor.of(file, origin, folder)
        if predecessor is not None:
            held.enter_context(file)
            # As one is, so are all: they are on one disk.
            return predecessor if is_on_faithful_disk(file.fileno()) else None
        file.close()
    return None


def _bring_back(base: str, error: BaseException) -> None:
    """Undo a prune, or raise an error that says that the next call will."""
    try:
        retention.bring_back(base)
    except OSError:
        if isinstance(error, OSError | ReedError):
            outlook = "the next create or restore brings back the backups that were to go"
            raise with_outlook(error, "create_backup", outlook) from error


def _add_database(writer: ArchiveWriter, base: str) -> int:
    """Add tables/ and indices/, and return how many tables there were."""
    table_count = 0
    for unit in units(base):
        # A table dropped meanwhile is not there any more, and not counted.
        was_there = writer.add(unit)
        table_count += was_there and unit.is_table
    return table_count


def _readable(base: str) -> list[BackupName]:
    """Return the backups that retention counts: only readable ones may be deleted."""
    names = catalogue.archive_names(base)
    if len(names) <= retention.KEEP:
        return names
    return [name for name in names if _is_readable(base, name)]


def _is_readable(base: str, name: BackupName) -> bool:
    try:
        return read_info(base, name) is not None
    except (OSError, ReedError):
        # Closed to this user, or on a bad sector: no reason to stop backups.
        return False
