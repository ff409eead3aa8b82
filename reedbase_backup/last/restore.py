"""Point-in-time restore by each table's own history."""

from __future__ import annotations

import os
import time
from pathlib import Path

from reedbase_backup.errors import NoTablesFound, ReedError, TableNotFound
from reedbase_backup.last import registry
from reedbase_backup.last.os_errors import exists, reported
from reedbase_backup.last.registry import BasePath, Clock
from reedbase_backup.last.table import Table
from reedbase_backup.last.types import RestoreReport
from reedbase_backup.last.versions import version_log
from reedbase_backup.types import U64_MAX


def restore_point_in_time(base_path: BasePath, target_timestamp: int) -> RestoreReport:
    """Bring each table to its newest version at or before `target_timestamp` (Unix nanoseconds).

    The content becomes a new version by user "system"; nothing is taken away.
    A table without such a version is skipped, and an error in one table stops
    no other: both are in the report. (Contract `last`, "restore".)

    Raise NoTablesFound without a tables/ folder, IoError (read_tables_dir) if
    it cannot be read, and ValueError for a target outside u64.
    """
    return restore_at(base_path, target_timestamp, time.time_ns)


def restore_at(base_path: BasePath, target_timestamp: int, clock: Clock) -> RestoreReport:
    """Do what `restore_point_in_time` does; `clock` gives new versions their Unix nanoseconds."""
    if not 0 <= target_timestamp <= U64_MAX:
        raise ValueError(f"target_timestamp is not in 0 … 2^64-1: {target_timestamp}")
    report = RestoreReport(target_timestamp=target_timestamp)
    for folder in _table_folders(Path(base_path) / "tables"):
        name = _shown(folder)
        try:
            with reported("restore_table"):
                version = _restore_table(Table(base_path, folder, clock=clock), target_timestamp)
        except ReedError as error:
            report.errors.append((name, error))
        else:
            if version is None:
                report.tables_skipped.append(name)
            else:
                report.tables_restored.append((name, version))
    return report


def _table_folders(tables: Path) -> list[str]:
    """Return the names of the folders directly in `tables`; files and symlinks are passed over."""
    if not exists(tables):
        raise NoTablesFound
    with reported("read_tables_dir"), os.scandir(tables) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def _restore_table(table: Table, target: int) -> int | None:
    """Restore one table, and return its version; None if it has none to restore."""
    lost = not os.path.lexists(table.current_path)
    if not lost and not table.exists():
        # A symlink to nowhere: what it should name is not ours to make.
        raise TableNotFound(name=_shown(table.name))
    try:
        version = version_log.newest_at_or_before(table.log(), target)
        content = None if version is None else table.rebuild(version.timestamp)
    except ReedError:
        if lost:
            raise TableNotFound(name=_shown(table.name)) from None
        raise
    if version is None or content is None:
        if lost:
            raise TableNotFound(name=_shown(table.name))
        return None
    table.bring_back(content, registry.SYSTEM)
    return version.timestamp


def _shown(name: str) -> str:
    """Return a file name as text: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")
