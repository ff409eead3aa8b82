"""list_backups (ticket 060-OPS-01, `list.rs`)."""

from __future__ import annotations

import os
from typing import IO

from reedbase_backup import catalogue
from reedbase_backup.archive import ArchiveReader
from reedbase_backup.catalogue import BackupName
from reedbase_backup.errors import BackupCorrupted, BackupUnsafe, translated
from reedbase_backup.gzip_member import read_summary
from reedbase_backup.types import BackupInfo, BasePath


def list_backups(base_path: BasePath) -> list[BackupInfo]:
    """The backups of the database at `base_path`, newest first.

    Changes nothing on disk. Files that cannot be complete backups are left
    out, and so are other names, folders and symlinks; a base without backups
    has an empty list.

    Raises IoError or PermissionDenied where backups/ cannot be read.
    (ticket 060-OPS-01, "Public Functions"; contract `ticket`, list/*)
    """
    base = os.fsdecode(base_path)
    with translated("list_backups"):
        infos = [read_info(base, name) for name in catalogue.archive_names(base)]
    return [info for info in infos if info is not None]


def read_info(base: str, name: BackupName) -> BackupInfo | None:
    """What the archive `name` says of itself; None where it can be no complete backup.

    An archive of ours says it in its gzip header. Anybody else's is read through.
    """
    path = catalogue.archive_path(base, name)
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        # Pruned by a backup that ran since the folder was read.
        return None
    with translated("list_backups", path), file:
        size = os.fstat(file.fileno()).st_size
        summary = read_summary(file)
        if summary is not None:
            if summary.file_size != size:
                return None
            return catalogue.describe(name, size, summary.table_count)
        file.seek(0)
        table_count = _count_tables(file, name.file_name)
    return None if table_count is None else catalogue.describe(name, size, table_count)


def _count_tables(file: IO[bytes], file_name: str) -> int | None:
    """How many tables a whole, sound archive holds; None for any other."""
    try:
        contents = ArchiveReader(file, file_name).read_through()
    except (BackupCorrupted, BackupUnsafe):
        return None
    return contents.table_count
