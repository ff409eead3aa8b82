"""What is read of a database: open folders, and the files in them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reedbase_backup.errors import from_os_error

_CHUNK = 1 << 18
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

# The clock that stamps files ticks coarsely; CLOCK_REALTIME_COARSE, which `time`
# does not name, is that clock on Linux. The coarsest (CONFIG_HZ=100) elsewhere.
TICK_NS = int(time.clock_getres(5) * 10**9) if sys.platform == "linux" else 10_000_000

SPECIAL = "cannot be backed up: only regular files and folders can; move it out of the database"
"""What is said of a symlink, FIFO, socket or device."""


class SourceChanged(Exception):
    """A writer changed the unit while it was being read."""


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """An open folder, as found."""

    name: str
    status: os.stat_result
    descriptor: int


class SourceFile(NamedTuple):
    """An open regular file, as found."""

    name: str
    status: os.stat_result
    descriptor: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's content, exactly as many bytes as `status` says.

        Raise SourceChanged where the file has become shorter, IoError where the
        disk fails.
        """
        return self._rest(self.status.st_size)

    def content(self) -> bytes:
        """Return what `chunks` yields; for a small file, faster."""
        size = self.status.st_size
        if not size:
            return b""
        content = self.read(min(size, _CHUNK))
        if len(content) == size:
            return content
        return content + b"".join(self._rest(size - len(content)))

    def _rest(self, remaining: int) -> Iterator[bytes]:
        while remaining:
            chunk = self.read(min(remaining, _CHUNK))
            remaining -= len(chunk)
            yield chunk

    def read(self, size: int) -> bytes:
        """Return at most `size` of the bytes that come next, at least one. Raise as `chunks`."""
        try:
            chunk = os.read(self.descriptor, size)
        except OSError as error:
            raise from_os_error(error, "read_source", self.name) from error
        if not chunk:
            raise SourceChanged(self.name)
        return chunk


@dataclass(frozen=True, slots=True)
class SourceOther:
    """A symlink, FIFO, socket or device, which a database has no use for."""

    name: str
    status: os.stat_result


class SourceFiles:
    """The regular files of an open folder, by name, none of them open yet."""

    def __init__(
        self, folder: SourceFolder, names: list[str], found: Callable[[int, str], os.stat_result]
    ) -> None:
        self._folder = folder
        self._names = names
        self._found = found
        """Returns the status of an open file, after a look at whether it may be read."""

    def __iter__(self) -> Iterator[SourceFile]:
        """Yield each file, open until the next is asked for.

        Raise SourceChanged for one that is gone, or no regular file by now, IoError
        or PermissionDenied.
        """
        folder, prefix = self._folder.descriptor, f"{self._folder.name}/"
        for entry_name in self._names:
            name = prefix + entry_name
            try:
                descriptor = os.open(entry_name, _OPEN_FILE, dir_fd=folder)
            except OSError as error:
                raise opening_failed(error, name) from error
            try:
                yield SourceFile(name, self._found(descriptor, name), descriptor)
            finally:
                os.close(descriptor)


SourceEntry = SourceFolder | SourceFiles | SourceOther


def opening_failed(error: OSError, name: str) -> Exception:
    """Return what to raise where `name` could not be opened."""
    if isinstance(error, FileNotFoundError):
        return SourceChanged(name)
    return from_os_error(error, "read_source", name)


def settled(descriptor: int, name: str) -> os.stat_result:
    """Return a file's status, no younger than its timestamps can tell.

    Two writes within one tick of the file system's clock give it one time: of a
    file that was written just now, a stamp would not show the next write.
    """
    for _ in range(2):
        status = os.fstat(descriptor)
        age_ns = time.time_ns() - status.st_ctime_ns
        if not 0 <= age_ns <= TICK_NS:
            return status
        time.sleep((TICK_NS - age_ns + 1) / 10**9)
    raise SourceChanged(name)
