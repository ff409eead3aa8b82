"""Reading archives whole, to know today whether they will restore, and what is live, too.

A backup takes over what the one before has of a file that looks unchanged, and a restore
leaves such a file where it is. Who puts a file's time back, and who stores through an mmap,
can make it look so; so can a disk that forgets. `deep` reads what looks unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reedbase_backup import catalogue
from reedbase_backup.archive.manifest import Record
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.catalogue import BackupName
from reedbase_backup.comparing import trees
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.errors import ReedError, translated
from reedbase_backup.meter import Meter
from reedbase_backup.picks import by_id
from reedbase_backup.types import BasePath


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """What came of the live files that a backup has with the same size and time."""

    files: int
    """How many those are."""
    differing: list[str]
    """Those of them whose content is another than the backup's, in order."""


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

    live: LiveCheck | None = None
    """None for all but the newest sound backup, and where nothing live was read."""

    @property
    def is_sound(self) -> bool:
        """Whether it would restore."""
        return self.damage is None

    @property
    def is_doubted(self) -> bool:
        """Whether a live file that looks as in this backup is not, so that one of them is wrong."""
        return self.live is not None and bool(self.live.differing)


def verify(
    base_path: BasePath,
    ids: Sequence[str] = (),
    *,
    deep: bool = False,
    meter: Meter | None = None,
) -> list[Verification]:
    """Read the archives of `ids`, or all under an archive's name, newest first.

    If `deep`, then read what is live, too, each table under its lock as a backup does, and
    hold it against the newest of those that are sound. The `meter` tells how many bytes of
    archives, and then of what is live, are read. Changes nothing on disk.

    Raise UnknownBackup for an id without an archive, IoError or PermissionDenied where
    backups/ or, if `deep`, what is live cannot be read, LockTimeout where that is locked.
    """
    base, meter = os.fsdecode(base_path), meter or Meter()
    with translated("verify"):
        names = catalogue.archive_names(base)
        if ids:
            names = [by_id(backup_id)(names) for backup_id in ids]
    verifications: list[Verification] = []
    newest: tuple[BackupName, Contents] | None = None
    for name in names:
        found = _verify_one(base, name, meter)
        if found is None:
            continue
        verification, contents = found
        verifications.append(verification)
        if deep and contents is not None and (newest is None or name > newest[0]):
            newest = name, contents
    if newest is None:
        return verifications
    check = _held_against(base, newest[1].records, meter)
    return [replace(one, live=check) if one.id == newest[0].id else one for one in verifications]


def _verify_one(
    base: str, name: BackupName, meter: Meter
) -> tuple[Verification, Contents | None] | None:
    """Return what one archive shows, and holds if it is sound.

    None where a backup that runs meanwhile has pruned it.
    """
    path, size = catalogue.archive_path(base, name), None
    try:
        with translated("verify", path), catalogue.open_archive(base, name) as file:
            size = os.fstat(file.fileno()).st_size
            meter.watch(file.tell)
            contents = ArchiveReader(file, name.file_name).read_through()
    except ReedError as damage:
        if isinstance(damage.__cause__, FileNotFoundError):
            return None
        return Verification(name.id, name.timestamp, size, None, None, False, damage), None
    finally:
        meter.count(size or 0)
    verification = Verification(
        name.id,
        name.timestamp,
        size,
        contents.table_count,
        contents.total_bytes,
        contents.has_manifest,
        None,
    )
    return verification, contents


def _held_against(base: str, records: Mapping[str, Record], meter: Meter) -> LiveCheck:
    """Hold what is live against `records`, all that a backup has."""
    # No backup or restore meanwhile, which would look at the same files.
    with base_watched(base), translated("verify"):
        live = trees.live(base, meter)
    alike = [
        name
        for name, node in live.items()
        if node.kind == "file"
        and (record := records.get(name)) is not None
        and not record.is_folder
        and (node.size, node.mtime_ns) == (record.size, record.mtime_ns)
    ]
    return LiveCheck(
        len(alike), sorted(name for name in alike if live[name].digest != records[name].digest)
    )
