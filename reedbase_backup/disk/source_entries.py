"""What is read of a database: open folders, and the files in them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from reedbase_backup.disk.change_times import TICK_NS
from reedbase_backup.errors import from_os_error

_CHUNK = 1 << 18
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

SPECIAL = "cannot be backed up: only regular files and folders can; move it out of the database"
"""What is said of a symlink, FIFO, socket or device."""

Stamp: TypeAlias = tuple[int, int, int, int]
"""What changes whenever a file does: inode, size, mtime_ns, ctime_ns."""

See: TypeAlias = Callable[[int, os.stat_result], None]
"""Is shown an open file or folder, and what it is like."""


class SourceChanged(Exception):
    """A writer changed the unit while it was being read."""


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """An open folder, as found."""

    name: str
    status: os.stat_result
    descriptor: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An open regular file, as found."""

    name: str
    status: os.stat_result
    descriptor: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's content, exactly as many bytes as `status` says.

        Raise SourceChanged where the file has become shorter, IoError where the
        disk fails.
        """
        remaining = self.status.st_size
        while remaining:
            chunk = read_some(self.descriptor, min(remaining, _CHUNK), self.name)
            remaining -= len(chunk)
            yield chunk


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
        stamps: dict[str, Stamp] | None,
    ) -> None:
        self.folder = folder.name
        self.names = names
        """The files', in the folder."""
        self.stamps = stamps
        """What files were like as they were read; None where a lock keeps writers out."""
        self._source = folder

    def apart(self) -> SourceFiles:
        """Return the same files, with stamps of their own."""
        return SourceFiles(self._source, self.names, None if self.stamps is None else {})

    def note(self, stamps: dict[str, Stamp] | None) -> None:
        """Take over the stamps of files that are `apart`."""
        if self.stamps is not None and stamps is not None:
            self.stamps.update(stamps)

    def __iter__(self) -> Iterator[SourceFile]:
        """Yield all, each open until the next is asked for.

        Raise SourceChanged for one that is gone, or no regular file by now, IoError
        or PermissionDenied.
        """
        for entry_name in self.names:
            with self.opened(entry_name) as file:
                yield file

    @contextmanager
    def opened(self, entry_name: str) -> Iterator[SourceFile]:
        """Open one, until the end. Raise as `__iter__`."""
        name = f"{self.folder}/{entry_name}"
        try:
            descriptor = os.open(entry_name, _OPEN_FILE, dir_fd=self._source.descriptor)
        except OSError as error:
            raise opening_failed(error, name) from error
        try:
            yield SourceFile(name, self._status(descriptor, name), descriptor)
        finally:
            os.close(descriptor)

    def read(
        self, names: Sequence[str], see: See, *, large: int, enough: int
    ) -> tuple[list[os.stat_result], list[bytes]]:
        """Return the statuses and the contents of these, as far as they are small.

        That ends before a file of `large` bytes or more, and once all have `enough`
        together. Each is shown to `see` while it is open. Raise as `__iter__`.
        """
        statuses, contents, total = [], [], 0
        folder, prefix, is_noted = (
            self._source.descriptor,
            f"{self.folder}/",
            self.stamps is not None,
        )
        for entry_name in names:
            name = prefix + entry_name
            try:
                descriptor = os.open(entry_name, _OPEN_FILE, dir_fd=folder)
            except OSError as error:
                raise opening_failed(error, name) from error
            try:
                status = self._status(descriptor, name) if is_noted else os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise SourceChanged(name)
                size = status.st_size
                if size >= large:
                    break
                see(descriptor, status)
                content = b""
                while len(content) < size:
                    content += read_some(descriptor, size - len(content), name)
            finally:
                os.close(descriptor)
            statuses.append(status)
            contents.append(content)
            total += size
            if total >= enough:
                break
        return statuses, contents

    def looked_at(self, names: Sequence[str], *, large: int, enough: int) -> list[os.stat_result]:
        """Return the statuses of these as `read` does, without opening any.

        Where the first is large, it has its status alone.
        """
        statuses: list[os.stat_result] = []
        total = 0
        folder, prefix, is_noted = (
            self._source.descriptor,
            f"{self.folder}/",
            self.stamps is not None,
        )
        for entry_name in names:
            try:
                status = os.stat(entry_name, dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                raise opening_failed(error, prefix + entry_name) from error
            if is_noted or not stat.S_ISREG(status.st_mode):
                self._check(prefix + entry_name, status)
            size = status.st_size
            if size >= large and statuses:
                break
            statuses.append(status)
            total += size
            if size >= large or total >= enough:
                break
        return statuses

    def _status(self, descriptor: int, name: str) -> os.stat_result:
        """Return what an open file is like, checked and noted."""
        status = os.fstat(descriptor) if self.stamps is None else settled(descriptor, name)
        self._check(name, status)
        return status

    def _check(self, name: str, status: os.stat_result) -> None:
        if self.stamps is not None:
            self.stamps[name] = stamp(status)
        if not stat.S_ISREG(status.st_mode):
            raise SourceChanged(name)


SourceEntry = SourceFolder | SourceFiles | SourceOther


def read_some(descriptor: int, size: int, name: str) -> bytes:
    """Return at most `size` of the bytes that come next in a file, at least one.

    Raise SourceChanged where it has none, IoError where the disk fails.
    """
    try:
        some = os.read(descriptor, size)
    except OSError as error:
        raise from_os_error(error, "read_source", name) from error
    if not some:
        raise SourceChanged(name)
    return some


def stamp(status: os.stat_result) -> Stamp:
    """Return the stamp of a file of this status."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


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
