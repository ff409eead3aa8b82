"""The types of contract `last` (BASELINE.md, "API")."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reedbase_backup.errors import ReedError


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """One archive in backups/."""

    timestamp: int
    """Unix seconds (u64); the number in the archive's name."""
    path: Path
    size_bytes: int
    """Of the file on disk; of the link itself where the name is a symlink."""
    size_mb: float
    """`size_bytes` / 1048576."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What `restore_point_in_time` did with each table, by name in sorted order."""

    target_timestamp: int
    """Unix nanoseconds (u64), as asked for."""
    tables_restored: list[tuple[str, int]] = field(default_factory=list)
    """Table and the version (Unix nanoseconds) whose content it has now."""
    tables_skipped: list[str] = field(default_factory=list)
    """Tables without a version at or before the target; they stay as they were."""
    errors: list[tuple[str, ReedError]] = field(default_factory=list)
    """Tables that could not be restored, and why; they stay as they were."""

    @property
    def is_success(self) -> bool:
        """No table had an error."""
        return not self.errors

    @property
    def is_partial(self) -> bool:
        """Some tables had errors and some were restored."""
        return bool(self.errors and self.tables_restored)

    @property
    def is_failure(self) -> bool:
        """Some tables had errors and none was restored."""
        return bool(self.errors and not self.tables_restored)


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a table, as `Table.list_versions` gives it."""

    timestamp: int
    """Unix nanoseconds (u64)."""
    action: str
    """Name in actions.dict, or `unknown(CODE)`."""
    user: str
    """Name in users.dict, or `unknown(CODE)`."""
    delta_size: int
    """Bytes, as version.log has it."""
    message: str | None = None
    """Always None: version.log has no place for it."""
