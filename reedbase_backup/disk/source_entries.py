"""What is read of a database: open folders, and the files in them."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(slots=True)
class SourceFile:
    """An open regular file, as found. (Not frozen: of 10,000, that is 2 ms less.)"""

    name: str
    entry_name: str
    """Its name in its folder."""
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
        self,
        folder: SourceFolder,
        names: list[str],
        note: Callable[[str, os.stat_result], object] | None,
    ) -> None:
        self.folder = folder.name
        self.names = names
        """The files', in the folder."""
        self._descriptor = folder.descriptor
        self._note = note
        """Notes what a file was like as it was read; None where a lock keeps writers out."""

    def __iter__(self) -> Iterator[SourceFile]:
        """Yield all, as `opened`."""
        return self.opened(self.names)

    def opened(self, names: Sequence[str]) -> Iterator[SourceFile]:
        """Yield these files, each open until the next is asked for.

        Raise SourceChanged for one that is gone, or no regular file by now, IoError
        or PermissionDenied.
        """
        folder, prefix, note = self._descriptor, f"{self.folder}/", self._note
        for entry_name in names:
            name = prefix + entry_name
            try:
                descriptor = os.open(entry_name, _OPEN_FILE, dir_fd=folder)
            except OSError as error:
                raise opening_failed(error, name) from error
            try:
                status = os.fstat(descriptor) if note is None else settled(descriptor, name)
                self._check(entry_name, status)
                yield SourceFile(name, entry_name, status, descriptor)
            finally:
                os.close(descriptor)

    def looked_at(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the names and statuses of all files, without opening any. Raise as `opened`."""
        folder, is_noted = self._descriptor, self._note is not None
        for entry_name in self.names:
            try:
                status = os.stat(entry_name, dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                raise opening_failed(error, f"{self.folder}/{entry_name}") from error
            if is_noted or not stat.S_ISREG(status.st_mode):
                self._check(entry_name, status)
            yield entry_name, status

    def _check(self, entry_name: str, status: os.stat_result) -> None:
        if self._note is not None:
            self._note(f"{self.folder}/{entry_name}", status)
        if not stat.S_ISREG(status.st_mode):
            raise SourceChanged(f"{self.folder}/{entry_name}")


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
