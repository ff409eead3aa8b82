"""The port as an adapter serves it: with a registry in every database before its first call.

The baseline's registry keeps process-wide caches, so that its adapters set the
registry up before the first call on another base (BASELINE.md, "The adapter's
duty"), which makes a missing one. The port has no such caches; served, it makes
the same files, so that the two leave the same database behind.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from reedbase_backup.errors import ReedError
from reedbase_backup.last.create import create_backup, create_backup_at
from reedbase_backup.last.list import list_backups
from reedbase_backup.last.os_errors import reported
from reedbase_backup.last.registry import init_registry
from reedbase_backup.last.restore import restore_point_in_time


class ServedPort:
    """The three functions of contract `last`, with the adapter's duty done."""

    def __init__(self) -> None:
        self._identity: tuple[str, int, int, int] | None = None

    def create_backup(self, base_path: str, now_ns: int | None = None) -> Any:
        """Call `create_backup`, at the time `now_ns` (Unix nanoseconds) if there is one."""
        self._prepare(base_path)
        return create_backup(base_path) if now_ns is None else create_backup_at(base_path, now_ns)

    def list_backups(self, base_path: str) -> Any:
        """Call `list_backups`."""
        self._prepare(base_path)
        return list_backups(base_path)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> Any:
        """Call `restore_point_in_time`."""
        self._prepare(base_path)
        return restore_point_in_time(base_path, target_timestamp)

    def _prepare(self, base_path: str) -> None:
        """Set the registry up where `base_path` is another database than that of the last call.

        A folder without tables/ and registry/ is none: its call is about their absence.
        """
        base = Path(base_path)
        # As in Rust, whatever error means no.
        if not os.path.isdir(base / "tables") and not os.path.isdir(base / "registry"):
            return
        with reported("init_registry"):
            status = os.stat(base)
        identity = (base_path, status.st_dev, status.st_ino, status.st_ctime_ns)
        if identity == self._identity:
            return
        self._identity = identity
        try:
            init_registry(base)
        except ReedError as error:
            # No reason to leave out the call, whose outcome is what the contract is about.
            print(f"reedbackup: init_registry: {error}", file=sys.stderr)
