"""Reference implementation of ReedBase's backup module, contract `ticket` (060-OPS-01).

Three functions, two types, and the errors under `ReedError`:

    create_backup(base_path) -> BackupInfo
    list_backups(base_path) -> list[BackupInfo]
    restore_point_in_time(base_path, target_timestamp) -> RestoreReport
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if sys.platform == "win32":
    raise ImportError(
        "reedbase_backup needs Linux or macOS: its locks and atomic folder swaps have no"
        " counterpart on Windows; use it under WSL"
    )

if TYPE_CHECKING:
    from reedbase_backup.create import create_backup
    from reedbase_backup.errors import (
        BackupCorrupted,
        BackupNotFound,
        BackupUnsafe,
        IoError,
        LockTimeout,
        NoTablesFound,
        PermissionDenied,
        ReedError,
    )
    from reedbase_backup.list import list_backups
    from reedbase_backup.restore import restore_point_in_time
    from reedbase_backup.types import BackupInfo, RestoreReport

# Said here, as to look up what is installed takes a fifth of an adapter's start.
__version__ = "0.1.0"

__all__ = [
    "BackupCorrupted",
    "BackupInfo",
    "BackupNotFound",
    "BackupUnsafe",
    "IoError",
    "LockTimeout",
    "NoTablesFound",
    "PermissionDenied",
    "ReedError",
    "RestoreReport",
    "create_backup",
    "list_backups",
    "restore_point_in_time",
]

_MODULES = {
    "create_backup": "create",
    "list_backups": "list",
    "restore_point_in_time": "restore",
    "BackupInfo": "types",
    "RestoreReport": "types",
}
"""Where each name is from; all others are from `errors`."""


def __getattr__(name: str) -> object:
    # Loaded when it is asked for: who lists backups needs nothing of what restores them.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value
