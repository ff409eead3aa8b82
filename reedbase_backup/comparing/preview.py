"""What a restore would change, without changing it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from reedbase_backup import catalogue
from reedbase_backup.comparing import trees
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.disk.existence import folder_exists
from reedbase_backup.errors import translated
from reedbase_backup.picks import Pick
from reedbase_backup.types import BasePath


@dataclass(frozen=True, slots=True)
class Preview:
    """The backup that a restore would take, and what it would do; names in order."""

    id: str
    timestamp: int
    """Unix seconds."""
    table_count: int
    total_bytes: int
    added: list[str]
    """Would come back."""
    changed: list[str]
    """Would get another content, or be a folder where there is a file, or the other way round."""
    mode_changed: list[str]
    """Would get another mode and nothing else."""
    removed: list[str]
    """Would go: made since."""

    @property
    def is_empty(self) -> bool:
        """Whether the live trees are what the backup holds."""
        return not (self.added or self.changed or self.mode_changed or self.removed)


def preview(base_path: BasePath, pick: Pick) -> Preview:
    """Read and verify the backup that a restore of the one to `pick` would take.

    The live tables are read as a backup reads them, each between two writes, and
    no backup or restore runs meanwhile. Changes nothing on disk.

    Raise BackupNotFound, BackupCorrupted, BackupUnsafe, IoError, PermissionDenied
    or LockTimeout, as the restore would.
    """
    base = os.fsdecode(base_path)
    with translated("preview"):
        if not folder_exists(base):
            pick([])
    with base_watched(base), translated("preview"):
        name = pick(catalogue.archive_names(base))
        tree, contents = trees.archived(base, name)
        changes = trees.compare(trees.live(base), tree)
    return Preview(
        id=name.id,
        timestamp=name.timestamp,
        table_count=contents.table_count,
        total_bytes=contents.total_bytes,
        added=changes.added,
        changed=changes.changed,
        mode_changed=changes.mode_changed,
        removed=changes.removed,
    )
