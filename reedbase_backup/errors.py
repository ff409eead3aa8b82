"""Every error of the backup module, one class a variant of ReedBase's `ReedError`.

    ReedError                    what callers catch
    ├── IoError                  the operating system refused an operation
    ├── CommandFailed            an external command failed (contract `last`: tar)
    ├── NoTablesFound            the base has no tables/ folder
    ├── TableNotFound            a table has no current.csv
    ├── TableAlreadyExists       init of a table that is there
    ├── VersionNotFound          a table has no version with that timestamp
    ├── LogCorrupted             a version.log line cannot be read
    ├── DecompressionFailed      a delta is not a valid xz stream
    ├── DeltaApplicationFailed   a delta does not fit the version before it
    ├── DeltaGenerationFailed    a delta could not be made
    ├── PermissionDenied         the operating system denied access
    ├── LockTimeout              another process held a lock for too long
    ├── BackupNotFound           no backup at or before the target
    ├── BackupCorrupted          an archive is damaged
    └── BackupUnsafe             an entry that must not be archived or restored

The names are part of both contracts: over the adapter protocol `kind` is the
class name and `fields` are the attributes.
"""

from __future__ import annotations

import dataclasses
import errno
import os
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any


class ReedError(Exception):
    """Base of all errors that this package raises on purpose."""

    @property
    def kind(self) -> str:
        """The ReedError variant's name, as the adapter protocol sends it."""
        return type(self).__name__

    @property
    def fields(self) -> dict[str, Any]:
        """The variant's fields by name, as the adapter protocol sends them."""
        if not dataclasses.is_dataclass(self):
            return {}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own pickling passes `args`, which keyword fields never reach.
        return partial(type(self), **self.fields), ()


@dataclass(eq=False)
class IoError(ReedError):
    """The operating system refused `operation`."""

    operation: str
    reason: str

    def __str__(self) -> str:
        return f"I/O error during '{self.operation}': {self.reason}"


@dataclass(eq=False)
class CommandFailed(ReedError):
    """An external command ended with an error; `error` is its stderr."""

    command: str
    error: str

    def __str__(self) -> str:
        return f"Command '{self.command}' failed: {self.error}"


class NoTablesFound(ReedError):
    """The base has no tables/ folder, so it is not a ReedBase database."""

    def __str__(self) -> str:
        return "No tables found"


@dataclass(eq=False)
class TableNotFound(ReedError):
    """Table `name` has no current.csv."""

    name: str

    def __str__(self) -> str:
        return f"Table '{self.name}' not found"


@dataclass(eq=False)
class TableAlreadyExists(ReedError):
    """Table `name` cannot be created: it is there."""

    name: str

    def __str__(self) -> str:
        return f"Table '{self.name}' already exists"


@dataclass(eq=False)
class VersionNotFound(ReedError):
    """The table has no version at `timestamp` (Unix nanoseconds)."""

    timestamp: int

    def __str__(self) -> str:
        return f"Version {self.timestamp} not found"


@dataclass(eq=False)
class LogCorrupted(ReedError):
    """A table's version.log cannot be read."""

    reason: str

    def __str__(self) -> str:
        return f"Version log corrupted: {self.reason}"


@dataclass(eq=False)
class DecompressionFailed(ReedError):
    """A delta is not a valid xz stream."""

    reason: str

    def __str__(self) -> str:
        return f"Decompression failed: {self.reason}"


@dataclass(eq=False)
class DeltaApplicationFailed(ReedError):
    """A delta does not fit the version that it is applied to."""

    reason: str

    def __str__(self) -> str:
        return f"Delta application failed: {self.reason}"


@dataclass(eq=False)
class DeltaGenerationFailed(ReedError):
    """A delta between two versions could not be made."""

    reason: str

    def __str__(self) -> str:
        return f"Delta generation failed: {self.reason}"


@dataclass(eq=False)
class PermissionDenied(ReedError):
    """The operating system denied access to `path`."""

    path: str

    def __str__(self) -> str:
        return f"Permission denied: {self.path}"


@dataclass(eq=False)
class LockTimeout(ReedError):
    """`table` (or the whole base) stayed locked by another process for `timeout_secs`."""

    table: str
    timeout_secs: int

    def __str__(self) -> str:
        return f"Lock on '{self.table}' not free after {self.timeout_secs} s; try again later"


@dataclass(eq=False)
class BackupNotFound(ReedError):
    """No backup at or before `target`; `oldest` is the oldest there is (Unix seconds)."""

    target: int
    oldest: int | None

    def __str__(self) -> str:
        if self.oldest is None:
            return f"No backup at or before {self.target}: there are no backups"
        return f"No backup at or before {self.target}: the oldest is of {self.oldest}"


@dataclass(eq=False)
class BackupCorrupted(ReedError):
    """`archive` (a file name in backups/) is damaged and must not be restored."""

    archive: str
    reason: str

    def __str__(self) -> str:
        return f"Backup '{self.archive}' is corrupted: {self.reason}"


@dataclass(eq=False)
class BackupUnsafe(ReedError):
    """`path`, in the source or in an archive, must not be archived or restored."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"Unsafe entry '{self.path}': {self.reason}"


class translated:  # noqa: N801 - what `with` is said with
    """Turns an OSError inside into PermissionDenied or IoError of `operation`.

    `path` says which file it was about, where the system call knew only a part.
    (A class: around each of 10,000 files, a generator takes 15 ms more.)
    """

    __slots__ = ("_operation", "_path")

    def __init__(self, operation: str, path: str | None = None) -> None:
        self._operation = operation
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, OSError):
            raise from_os_error(error, self._operation, self._path) from error


def with_outlook(error: OSError | ReedError, operation: str, outlook: str) -> IoError:
    """Return an IoError of `operation` that says why, and what is to come of it."""
    known = error if isinstance(error, ReedError) else from_os_error(error, operation)
    why = known.reason if isinstance(known, IoError) else str(known)
    return IoError(operation, f"{why}; {outlook}")


def from_os_error(error: OSError, operation: str, path: str | None = None) -> ReedError:
    """Return PermissionDenied or IoError of `operation`, about `path` or what `error` names."""
    # A call on a descriptor leaves its number here.
    named = error.filename if isinstance(error.filename, str | bytes) else ""
    where = path or os.fsdecode(named)
    if isinstance(error, PermissionError) and where:
        return PermissionDenied(where)
    reason = f"{error.strerror} (os error {error.errno})" if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason += "; make room"
    return IoError(operation, f"{where}: {reason}" if where else reason)
