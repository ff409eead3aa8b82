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
    """Would get another content or mode."""
    removed: list[str]
    """Would go: made since."""

    @property
    def is_empty(self) -> bool:
        """Whether the live trees are what the backup holds."""
        return not (self.added or self.changed or self.removed)


def preview(base_path: str | os.PathLike[str], target_timestamp: int) -> Preview:
    """Reads and verifies the backup that a restore to `target_timestamp` would take.

    Raises BackupNotFound, BackupCorrupted, BackupUnsafe, IoError or
    PermissionDenied, as the restore would.
    """
    base = os.fspath(base_path)
    with translated("preview"):
        name = newest_at_or_before(catalogue.archive_names(base), target_timestamp)
        live = dict(_live_entries(base))
        added, changed = [], []
        with open(catalogue.archive_path(base, name), "rb") as file:
            reader = ArchiveReader(file, name.file_name)
            entries = {}
            for entry in reader:
                entries[entry.name] = entry
            assert reader.contents is not None
            contents = reader.contents
        for entry in entries.values():
            if entry.name not in live:
                added.append(entry.name)
            elif _differs(base, entry, live[entry.name], contents.records[entry.name].digest):
                changed.append(entry.name)
    return Preview(
        id=name.id,
        timestamp=name.timestamp,
        table_count=contents.table_count,
        total_bytes=contents.total_bytes,
        added=sorted(added),
        changed=sorted(changed),
        removed=sorted(live.keys() - entries.keys() - _implied_folders(entries)),
    )


def _live_entries(base: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [root for root in ROOTS if os.path.isdir(os.path.join(base, root))]
    while pending:
        name = pending.pop()
        yield name, os.lstat(os.path.join(base, name))
        with os.scandir(os.path.join(base, name)) as children:
            for child in children:
                if child.is_dir(follow_symlinks=False):
                    pending.append(f"{name}/{child.name}")
                else:
                    yield f"{name}/{child.name}", child.stat(follow_symlinks=False)


def _implied_folders(names: dict[str, Entry]) -> set[str]:
    """The folders above `names`, which an archive of others need not name."""
    implied = set()
    for name in names:
        while name := name.rpartition("/")[0]:
            implied.add(name)
    return implied


def _differs(base: str, entry: Entry, live: os.stat_result, digest: bytes) -> bool:
    if stat.S_IMODE(live.st_mode) != entry.mode or stat.S_ISDIR(live.st_mode) != entry.is_folder:
        return True
    if entry.is_folder:
        return False
    if not stat.S_ISREG(live.st_mode) or live.st_size != entry.size:
        return True
    with open(os.path.join(base, entry.name), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode() != digest
