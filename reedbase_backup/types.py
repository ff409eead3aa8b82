"""The two public types of ticket 060-OPS-01, "Public Types"."""

from __future__ import annotations

import os
from dataclasses import dataclass

U8_MAX = 2**8 - 1
U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
I64_MAX = 2**63 - 1

BasePath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""The path of a database's folder, in any of Python's ways to give one."""


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """One backup, as `create_backup` returns it and `list_backups` lists it."""

    id: str
    """Unique among the base's backups; the archive's file name without `.tar.gz`."""
    timestamp: int
    """Unix seconds (u64) when the backup was created."""
    size_bytes: int
    """Size of the archive file on disk, in bytes."""
    table_count: int
    """Folders directly under tables/ in the archive."""
    compression: str
    """Always `"gzip"`."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What `restore_point_in_time` did."""

    tables_restored: int
    """Table folders in the restored backup."""
    total_bytes: int
    """Sum of the sizes of all files restored under tables/ and indices/, in bytes."""
    duration_ms: int
    """Whole milliseconds that the restore took."""
