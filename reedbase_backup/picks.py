"""Which backup is meant: the newest up to a time, or the one of an id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reedbase_backup.catalogue import SUFFIX, BackupName
from reedbase_backup.errors import BackupNotFound

Pick = Callable[[Sequence[BackupName]], BackupName]
"""Chooses among a base's backups, newest first; raises what says why none is meant."""


class UnknownBackup(Exception):
    """There is no archive of the id that was asked for."""


def at_or_before(target: int) -> Pick:
    """Return what picks the backup that a restore to `target` (Unix seconds) must use.

    The names come newest first, so that on equal timestamps the one created last
    wins. It raises BackupNotFound when even the oldest is later than `target`.
    """

    def pick(names: Sequence[BackupName]) -> BackupName:
        for name in names:
            if name.timestamp <= target:
                return name
        raise BackupNotFound(target, oldest=names[-1].timestamp if names else None)

    return pick


def by_id(backup_id: str) -> Pick:
    """Return what picks the backup of that id, or file name; it raises UnknownBackup."""

    def pick(names: Sequence[BackupName]) -> BackupName:
        for name in names:
            if name.id == backup_id.removesuffix(SUFFIX):
                return name
        raise UnknownBackup(f"there is no backup {backup_id}")

    return pick
