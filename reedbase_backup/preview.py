"""What a restore would change, without changing it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256

from reedbase_backup import catalogue
from reedbase_backup.archive.admission import ArchiveEntry
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.disk.existence import folder_exists
from reedbase_backup.disk.source import Unit, read_settled, units
from reedbase_backup.disk.source_entries import (
    SourceEntry,
    SourceFile,
    SourceFiles,
    SourceFolder,
    SourceOther,
)
from reedbase_backup.errors import BackupNotFound, translated
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
    """Read and verify the backup that a restore to `target_timestamp` would take.

    The live tables are read as a backup reads them, each between two writes, and
    no backup or restore runs meanwhile. Changes nothing on disk.

    Raise BackupNotFound, BackupCorrupted, BackupUnsafe, IoError, PermissionDenied
    or LockTimeout, as the restore would.
    """
    base = os.fsdecode(base_path)
    with translated("preview"):
        if not folder_exists(base):
            raise BackupNotFound(target_timestamp, oldest=None)
    with base_watched(base), translated("preview"):
        name = newest_at_or_before(catalogue.archive_names(base), target_timestamp)
        with catalogue.open_archive(base, name) as file:
            reader = ArchiveReader(file, name.file_name)
            entries = {entry.name: entry for entry in reader}
        assert reader.contents is not None
        contents = reader.contents
        live = _Live(entries, contents)
        for unit in units(base):
            live.look_at(unit)
    return Preview(
        id=name.id,
        timestamp=name.timestamp,
        table_count=contents.table_count,
        total_bytes=contents.total_bytes,
        added=sorted(entries.keys() - live.names),
        changed=sorted(live.changed),
        mode_changed=sorted(live.mode_changed - live.changed),
        removed=sorted(live.names - entries.keys() - _implied_folders(entries)),
    )


class _Live:
    """What there is of a database, held against what a backup has."""

    def __init__(self, entries: dict[str, ArchiveEntry], contents: Contents) -> None:
        self._entries = entries
        self._records = contents.records
        self.names: set[str] = set()
        self.changed: set[str] = set()
        self.mode_changed: set[str] = set()

    def look_at(self, unit: Unit) -> None:
        """Compare all that is in `unit`."""
        comparisons: list[tuple[str, bool, bool]] = []

        def compare(entry: SourceEntry) -> None:
            found = entry if isinstance(entry, SourceFiles) else (entry,)
            comparisons.extend(self._compared(one) for one in found)

        read_settled(unit, compare, comparisons.clear)
        self.names.update(name for name, _, _ in comparisons)
        self.changed.update(name for name, differs, _ in comparisons if differs)
        self.mode_changed.update(name for name, _, mode_differs in comparisons if mode_differs)

    def _compared(self, live: SourceFolder | SourceFile | SourceOther) -> tuple[str, bool, bool]:
        """Return the name, and whether kind or content differs from the backup's, and the mode."""
        entry = self._entries.get(live.name)
        if entry is None:
            return live.name, False, False
        mode_differs = stat.S_IMODE(live.status.st_mode) != entry.mode
        if isinstance(live, SourceFile) and not entry.is_folder:
            differs = live.status.st_size != entry.size or _digest(live) != self._digest_of(entry)
        else:
            differs = isinstance(live, SourceFolder) is not entry.is_folder
        return live.name, differs, mode_differs

    def _digest_of(self, entry: ArchiveEntry) -> bytes:
        return self._records[entry.name].digest


def _digest(file: SourceFile) -> bytes:
    hasher = sha256()
    for chunk in file.chunks():
        hasher.update(chunk)
    return hasher.hexdigest().encode()


def _implied_folders(names: dict[str, ArchiveEntry]) -> set[str]:
    """Return the folders above `names`, which an archive of others need not name."""
    implied = set()
    for name in names:
        while (name := name.rpartition("/")[0]) and name not in implied:
            implied.add(name)
    return implied
