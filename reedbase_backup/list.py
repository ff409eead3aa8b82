"""list_backups (ticket 060-OPS-01, `list.rs`)."""

from __future__ import annotations

import errno
import os
from typing import IO

from reedbase_backup import catalogue
from reedbase_backup.archive.gzip_header import read_summary
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.file_cache import FileCache
from reedbase_backup.errors import BackupCorrupted, BackupUnsafe, IoError, from_os_error, translated
from reedbase_backup.types import BackupInfo, BasePath

# How the system says that it cannot read this one file; a lack of memory or of
# descriptors says nothing of it.
_UNREADABLE = (errno.EIO, errno.EBADMSG, errno.ESTALE, getattr(errno, "EUCLEAN", errno.EIO))

_table_counts: FileCache[int | None] = FileCache()


def list_backups(base_path: BasePath) -> list[BackupInfo]:
    """Return the backups of the database at `base_path`, newest first.

    Changes nothing on disk. Files that cannot be complete backups are left
    out, and so are other names, folders and symlinks; a base without backups
    has an empty list.

    Raise IoError where backups/ cannot be read, PermissionDenied where it or an
    archive in it is closed to the caller: what is in there, nobody has said.
    (ticket 060-OPS-01, "Public Functions"; contract `ticket`, list/*)
    """
    base = os.fsdecode(base_path)
    with translated("list_backups"):
        infos = [read_info(base, name) for name in catalogue.archive_names(base)]
    return [info for info in infos if info is not None]


def read_info(base: str, name: BackupName) -> BackupInfo | None:
    """Return what the archive `name` says of itself; None where it can be no complete backup.

    An archive of ours says it in its gzip header. Anybody else's is read through,
    once by each process: what came of it is remembered for as long as the file is
    the same. One that has been pruned since the folder was read is none.
    """
    path = catalogue.archive_path(base, name)
    try:
        status, table_count = _table_counts.get(
            os.lstat(path),
            lambda: catalogue.open_archive(base, name),
            lambda file: _count_tables(file, name.file_name),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _UNREADABLE:
            return None
        raise from_os_error(error, "list_backups", path) from error
    if table_count is None:
        return None
    return catalogue.describe(name, status.st_size, table_count)


def _count_tables(file: IO[bytes], name: str) -> int | None:
    """Return how many tables the archive holds; None where it can be no complete backup."""
    summary = read_summary(file)
    if summary is not None:
        is_whole = summary.file_size == os.fstat(file.fileno()).st_size
        return summary.table_count if is_whole else None
    # Here, for an archive of ours tells it without: all else of a list takes half the time.
    from reedbase_backup.archive.reader import ArchiveReader

    file.seek(0)
    try:
        return ArchiveReader(file, name).read_through().table_count
    except (BackupCorrupted, BackupUnsafe):
        return None
    except IoError as error:
        # The system's own words say more than ours.
        raise error.__cause__ or error from None
