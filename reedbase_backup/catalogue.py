"""The backups of a base: their names, their order, and which of them are readable."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from typing import IO

from reedbase_backup.disk.existence import says_nothing_exists
from reedbase_backup.types import U64_MAX, BackupInfo

SUFFIX = ".tar.gz"

_ARCHIVE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A symlink, a socket; a folder cannot be wrapped in a file object.
_OTHER_KINDS = (errno.ELOOP, errno.ENXIO, errno.EISDIR)

# Canonical decimals only: `+5`, `007` and `1.5` are somebody else's files
# (contract `ticket`, list/foreign).
_NAME = re.compile(r"(0|[1-9][0-9]{0,19})(?:-([2-9]|[1-9][0-9]+))?\.tar\.gz", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class BackupName:
    """A backup's name, ordered from old to new.

    The first backup of a second is `{seconds}.tar.gz`, later ones of the same
    second are `{seconds}-2.tar.gz`, `{seconds}-3.tar.gz` and so on.
    """

    timestamp: int
    sequence: int = 1

    @property
    def id(self) -> str:
        """The name without `.tar.gz`."""
        return str(self.timestamp) + (f"-{self.sequence}" if self.sequence > 1 else "")

    @property
    def file_name(self) -> str:
        """The archive's file name in backups/."""
        return self.id + SUFFIX

    @classmethod
    def parse(cls, file_name: str) -> BackupName | None:
        """Return the name that `file_name` stands for; None where it is not a backup's."""
        match = _NAME.fullmatch(file_name)
        if match is None or int(match[1]) > U64_MAX:
            return None
        return cls(int(match[1]), int(match[2] or 1))


def backups_folder(base_path: str) -> str:
    """Return where a base keeps its backups (ticket 060-OPS-01, "Architecture", step 5)."""
    # The empty path is no folder, and must not become the working folder.
    return os.path.join(base_path, "backups") if base_path else ""


def archive_path(base_path: str, name: BackupName) -> str:
    """Return the path of a backup's archive."""
    return os.path.join(backups_folder(base_path), name.file_name)


def open_archive(base_path: str, name: BackupName) -> IO[bytes]:
    """Open a backup's archive for reading, whatever may have taken its name meanwhile.

    Follow no symlink and wait for no FIFO. Raise OSError:
    FileNotFoundError also where it is no regular file any more.
    """
    path = archive_path(base_path, name)
    try:
        file = open(os.open(path, _ARCHIVE), "rb")  # noqa: SIM115 - the caller's to close
    except OSError as error:
        if error.errno not in _OTHER_KINDS:
            raise
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return file


def archive_names(base_path: str) -> list[BackupName]:
    """Return the regular files in backups/ under a backup's name, readable or not, newest first."""
    try:
        with os.scandir(backups_folder(base_path)) as entries:
            names = [
                name
                for entry in entries
                if (name := BackupName.parse(entry.name)) and entry.is_file(follow_symlinks=False)
            ]
    except (OSError, ValueError) as error:
        if says_nothing_exists(error):
            return []
        raise
    return sorted(names, reverse=True)


def next_name(base_path: str, timestamp: int) -> BackupName:
    """Return a free name for a backup of `timestamp` that sorts after all of its second."""
    with os.scandir(backups_folder(base_path)) as entries:
        taken = [name for entry in entries if (name := BackupName.parse(entry.name))]
    sequences = [name.sequence for name in taken if name.timestamp == timestamp]
    return BackupName(timestamp, max(sequences, default=0) + 1)


def describe(name: BackupName, size_bytes: int, table_count: int) -> BackupInfo:
    """Return the BackupInfo of a readable archive."""
    return BackupInfo(name.id, name.timestamp, size_bytes, table_count, "gzip")
