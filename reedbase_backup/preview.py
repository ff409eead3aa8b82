"""What a restore would change, without changing it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from reedbase_backup import catalogue
from reedbase_backup.archive import ArchiveReader
from reedbase_backup.contents import ROOTS, Entry
from reedbase_backup.errors import translated
from reedbase_backup.restore import newest_at_or_before
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


def preview(base_path: BasePath, target_timestamp: int) -> Preview:
    """Reads and verifies the backup that a restore to `target_timestamp` would take.

    Raises BackupNotFound, BackupCorrupted, BackupUnsafe, IoError or
    PermissionDenied, as the restore would.
    """
    base = os.fsdecode(base_path)
    with translated("preview"):
        name = newest_at_or_before(catalogue.archive_names(base), target_timestamp)
        live = dict(_live_entries(base))
        with open(catalogue.archive_path(base, name), "rb") as file:
            reader = ArchiveReader(file, name.file_name)
            entries = {entry.name: entry for entry in reader}
            assert reader.contents is not None
            contents = reader.contents
        kept = entries.keys() & live.keys()
        changed = {
            name
            for name in kept
            if _differs(base, entries[name], live[name], contents.records[name].digest)
        }
    modes = {name for name in kept if stat.S_IMODE(live[name].st_mode) != entries[name].mode}
    return Preview(
        id=name.id,
        timestamp=name.timestamp,
        table_count=contents.table_count,
        total_bytes=contents.total_bytes,
        added=sorted(entries.keys() - live.keys()),
        changed=sorted(changed),
        mode_changed=sorted(modes - changed),
        removed=sorted(live.keys() - entries.keys() - _implied_folders(entries)),
    )


def _live_entries(base: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [root for root in ROOTS if os.path.lexists(os.path.join(base, root))]
    while pending:
        name = pending.pop()
        path = os.path.join(base, name)
        status = os.lstat(path)
        yield name, status
        if stat.S_ISDIR(status.st_mode):
            pending += [f"{name}/{child}" for child in os.listdir(path)]


def _implied_folders(names: dict[str, Entry]) -> set[str]:
    """The folders above `names`, which an archive of others need not name."""
    implied = set()
    for name in names:
        while name := name.rpartition("/")[0]:
            implied.add(name)
    return implied


def _differs(base: str, entry: Entry, live: os.stat_result, digest: bytes) -> bool:
    """Whether the live file or folder is another, whatever its mode."""
    if entry.is_folder:
        return not stat.S_ISDIR(live.st_mode)
    if not stat.S_ISREG(live.st_mode) or live.st_size != entry.size:
        return True
    with open(os.path.join(base, entry.name), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode() != digest
