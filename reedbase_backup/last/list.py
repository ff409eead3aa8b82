"""Which backups there are."""

from __future__ import annotations

import os
import stat
from gzip import BadGzipFile
from pathlib import Path
from typing import IO

from isal import igzip, isal_zlib

from reedbase_backup.disk.file_cache import FileCache
from reedbase_backup.last.os_errors import exists, reported
from reedbase_backup.last.registry import BasePath
from reedbase_backup.last.types import BackupInfo
from reedbase_backup.last.versions.version_log import parse_number
from reedbase_backup.types import U64_MAX

SUFFIX = ".tar.gz"

_CHUNK = 1 << 20

_whole: FileCache[bool] = FileCache()


def list_backups(base_path: BasePath) -> list[BackupInfo]:
    """Return the archives in backups/, newest first; equal timestamps by name.

    An archive is named `{unix seconds}.tar.gz` and is a whole gzip file:
    folders, dangling symlinks, empty and damaged files are left out (D11).
    Each archive is read once a process, and again only when it changed.

    Raise IoError (read_backup_dir, stat_backup).
    """
    folder = Path(base_path) / "backups"
    if not exists(folder):
        return []
    with reported("read_backup_dir"), os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    backups = [
        describe(folder / name, timestamp)
        for name in names
        if (timestamp := timestamp_of(name)) is not None and _is_archive(folder / name)
    ]
    return sorted(backups, key=lambda backup: backup.timestamp, reverse=True)


def timestamp_of(name: str) -> int | None:
    """Return the Unix seconds that Rust reads in an archive's file `name`; None for other names."""
    stem = name.removesuffix(SUFFIX)
    return parse_number(stem, U64_MAX) if stem != name else None


def describe(path: Path, timestamp: int) -> BackupInfo:
    """Return the BackupInfo of the archive at `path`. Raise IoError (stat_backup)."""
    with reported("stat_backup"):
        size = path.lstat().st_size
    return BackupInfo(timestamp=timestamp, path=path, size_bytes=size, size_mb=size / 1048576)


def _is_archive(path: Path) -> bool:
    """Return whether `path` leads to a whole gzip file.

    What may not be read cannot be called damaged, so it counts, as with the baseline.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return False
        return _whole.get(status, lambda: path.open("rb"), _is_whole_gzip)[1]
    except PermissionError:
        return True
    except OSError:
        return False


def _is_whole_gzip(archive: IO[bytes]) -> bool:
    """Return whether the file decompresses to its end with the right checksums."""
    try:
        with igzip.IGzipFile(fileobj=archive, mode="rb") as file:  # type: ignore[no-untyped-call]
            while file.read(_CHUNK):
                pass
    except (BadGzipFile, isal_zlib.IsalError, EOFError):  # type: ignore[misc]
        return False
    return True
