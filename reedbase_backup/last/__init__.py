"""The Python port of the Rust baseline `last/` (contract `last`).

The same functions, types and errors on the same on-disk format. Where the
baseline loses or fakes data the port does the safe thing: `DIVERGENCES` has
each such place.
"""

from .create import create_backup
from .divergences import DIVERGENCES, Divergence
from .list import list_backups
from .registry import init_registry
from .restore import restore_point_in_time
from .table import Table
from .types import BackupInfo, RestoreReport, VersionInfo

__all__ = [
    "DIVERGENCES",
    "BackupInfo",
    "Divergence",
    "RestoreReport",
    "Table",
    "VersionInfo",
    "create_backup",
    "init_registry",
    "list_backups",
    "restore_point_in_time",
]
