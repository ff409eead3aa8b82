"""Calls on an implementation that answers with the time that it sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.model.target import TimeLimits
from reedbase_backup.types import BackupInfo, RestoreReport

LIMITS = TimeLimits(hello=10.0, call=5.0)

SHORT = TimeLimits(hello=10.0, call=0.3)

MOMENTS = {
    "forwards": 1_900_000_000,
    "backwards": 1_000_000_000,
    "1970": 0,
    "2038": 2**31 + 5,
    "2043": 2_303_683_200,
    "2106": 2**32 + 5,
    "2262": 9_223_000_000,
}


def created(connection: Connection, base: str = "/x") -> BackupInfo:
    """Return what create_backup answers: the second, the process as its size, and seconds slept."""
    params = connection.clock.params()
    answer = connection.call("create_backup", "ticket", Path(base), **params)
    backup: BackupInfo = value_of(answer, "the backup")
    return backup


def listed(connection: Connection, base: Path) -> BackupInfo:
    """Return the one backup that list_backups answers, of the mtime of `base`."""
    backup: BackupInfo
    (backup,) = value_of(connection.call("list_backups", "ticket", base), "the list")
    return backup


def restored(connection: Connection) -> RestoreReport:
    """Return what restore_point_in_time answers at the next second, as its duration."""
    answer = connection.call("restore_point_in_time", "ticket", Path("/x"), target_timestamp=1)
    report: RestoreReport = value_of(answer, "the report")
    return report


ConnectTo = Callable[[str], Connection]
