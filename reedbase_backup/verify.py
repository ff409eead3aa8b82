"""Reading archives whole, to know today whether they will restore."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from reedbase_backup import catalogue
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.catalogue import BackupName
from reedbase_backup.errors import ReedError, translated
from reedbase_backup.picks import by_id
from reedbase_backup.types import BasePath


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading one archive whole has shown."""

    id: str
    timestamp: int
    """Unix seconds."""
    size_bytes: int | None
    """The archive file's; None where it may not be opened."""
    table_count: int | None
    total_bytes: int | None
    """Sum of the sizes of all files in it; None for a damaged archive."""
    has_manifest: bool
    """Whether each file was held against a SHA-256 of its own; else the gzip checksum did."""
    damage: ReedError | None
    """Why it would not restore: what is wrong with it, or that it cannot be read."""

    @property
    def is_sound(self) -> bool:
        """Whether it would restore."""
        return self.damage is None


def verify(base_path: BasePath, ids: Sequence[str] = ()) -> list[Verification]:
    """Read the archives of `ids`, or all under an archive's name, newest first.

    Raise UnknownBackup for an id without an archive, IoError or
    PermissionDenied where backups/ cannot be read.
    """
    base = os.fsdecode(base_path)
    with translated("verify"):
        names = catalogue.archive_names(base)
        if ids:
            names = [by_id(backup_id)(names) for backup_id in ids]
    verifications = [_verify_one(base, name) for name in names]
    return [one for one in verifications if one is not None]


def _verify_one(base: str, name: BackupName) -> Verification | None:
    """Return what one archive shows; None where a backup that runs meanwhile has pruned it."""
    path, size = catalogue.archive_path(base, name), None
    try:
        with translated("verify", path), catalogue.open_archive(base, name) as file:
            size = os.fstat(file.fileno()).st_size
            contents = ArchiveReader(file, name.file_name).read_through()
    except ReedError as damage:
        if isinstance(damage.__cause__, FileNotFoundError):
            return None
        return Verification(name.id, name.timestamp, size, None, None, False, damage)
    return Verification(
        name.id,
        name.timestamp,
        size,
        contents.table_count,
        contents.total_bytes,
        contents.has_manifest,
        None,
    )
