"""What the tests' implementations have in common: types, errors, archives, entries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SUFFIX = ".tar.gz"


class ReedError(Exception):
    """An error of `kind`, a ReedError variant's name, with its `fields`."""

    def __init__(self, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = fields


class BackupInfo(NamedTuple):
    id: str
    timestamp: int
    size_bytes: int
    table_count: int
    compression: str


class RestoreReport(NamedTuple):
    tables_restored: int
    total_bytes: int
    duration_ms: int


class Archive(NamedTuple):
    """A file in backups/ under an archive's name; they sort from old to new."""

    timestamp: int
    sequence: int
    path: Path

    @property
    def id(self) -> str:
        return self.path.name.removesuffix(SUFFIX)

    def described(self, tables: int) -> BackupInfo:
        size = self.path.stat().st_size
        return BackupInfo(self.id, self.timestamp, size, tables, "gzip")


class Entry(NamedTuple):
    """A file or a folder of a backup."""

    name: str
    is_folder: bool
    mode: int
    mtime: float
    content: bytes


@contextmanager
def io_errors(operation: str) -> Iterator[None]:
    """What the system refuses is an IoError."""
    try:
        yield
    except OSError as error:
        raise ReedError("IoError", str(error), operation=operation, reason=str(error)) from error


def corrupted(archive: Archive, reason: str) -> ReedError:
    return ReedError("BackupCorrupted", f"{archive.path.name}: {reason}", archive=archive.path.name)


def unsafe(name: str, reason: str) -> ReedError:
    return ReedError("BackupUnsafe", f"{name} {reason}", path=name)
