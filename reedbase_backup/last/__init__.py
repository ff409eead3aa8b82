"""The Python port of the Rust baseline `last/` (contract `last`).

The same functions, types and errors on the same on-disk format. Where the
baseline loses or fakes data the port does the safe thing: `DIVERGENCES` has
each such place.
"""

from reedbase_backup.last.create import create_backup
from reedbase_backup.last.divergences import DIVERGENCES, PortDivergence
from reedbase_backup.last.list import list_backups
from reedbase_backup.last.registry import init_registry
from reedbase_backup.last.restore import restore_point_in_time
from reedbase_backup.last.table import Table
from reedbase_backup.last.types import BackupInfo, RestoreReport, VersionInfo

__all__ = [
    "DIVERGENCES",
    "BackupInfo",
    "PortDivergence",
    "RestoreReport",
    "Table",
    "VersionInfo",
    "create_backup",
    "init_registry",
    "list_backups",
    "restore_point_in_time",
]
