"""Reading the live tables/ and indices/ while the database may be writing them.

The unit is one table, or all of indices/. A table with a `.lock` is read under
it. Where there is none, the unit is read without, checked afterwards for a
change meanwhile, and read again if there was one.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from reedbase_backup.disk.table_lock import TABLE_TIMEOUT_SECS, TableLock, has_lock, table_locked
from reedbase_backup.errors import LockTimeout, from_os_error

_CHUNK = 1 << 20
_RETRY_PAUSE_SECS = 0.02
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC

# What O_DIRECTORY and O_NOFOLLOW say of a file and, on macOS, of a symlink.
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)

# The clock that stamps files ticks coarsely; CLOCK_REALTIME_COARSE, which `time`
# does not name, is that clock on Linux. The coarsest (CONFIG_HZ=100) elsewhere.
TICK_NS = int(time.clock_getres(5) * 10**9) if sys.platform == "linux" else 10_000_000

SPECIAL = "cannot be backed up: only regular files and folders can; move it out of the database"
"""What is said of a symlink, FIFO, socket or device."""

Stamp = tuple[int, int, int, int]
"""What changes whenever a file does: inode, size, mtime_ns, ctime_ns."""


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
    status: os.stat_result
    descriptor: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's content, exactly as many bytes as `status` says.

        Raise SourceChanged where the file has become shorter, IoError where the
        disk fails.
        """
        remaining = self.status.st_size
        try:
            while remaining:
                chunk = os.read(self.descriptor, min(remaining, _CHUNK))
                if not chunk:
                    raise SourceChanged(self.name)
                remaining -= len(chunk)
                yield chunk
        except OSError as error:
            raise from_os_error(error, "read_source", self.name) from error


@dataclass(frozen=True, slots=True)
class SourceOther:
    """A symlink, FIFO, socket or device, which a database has no use for."""

    name: str
    status: os.stat_result


SourceEntry = SourceFolder | SourceFile | SourceOther


def read_settled(
    unit: Unit, read: Callable[[SourceEntry], None], forget: Callable[[], None]
) -> None:
    """Have `read` see every entry of `unit`, all of one moment between two writes.

    Where a writer was at work meanwhile, what was read is to `forget`, and all is
    read again. Raise LockTimeout where the unit has not settled after
    TABLE_TIMEOUT_SECS.
    """
    deadline = time.monotonic() + TABLE_TIMEOUT_SECS
    while True:
        try:
            for entry in unit.entries():
                read(entry)
            return
        except SourceChanged:
            forget()
        if time.monotonic() > deadline:
            raise LockTimeout(unit.name, TABLE_TIMEOUT_SECS)
        time.sleep(_RETRY_PAUSE_SECS)


def units(base_path: str) -> Iterator[Unit]:
    """Yield all that is read of a database: tables/, each table, and indices/.

    Each is to be read before the next is asked for, for tables/ names the tables.
    """
    tables = Unit(base_path, "tables", deep=False)
    yield tables
    for name in tables.subfolders:
        yield Unit(base_path, f"tables/{name}")
    yield Unit(base_path, "indices")


class Unit:
    """A folder that is read as one: a table, indices/, or (not `deep`) tables/ itself."""

    def __init__(self, base_path: str, name: str, *, deep: bool = True) -> None:
        self.name = name
        self.subfolders: list[str] = []
        """Names of the folders directly inside, once `entries` has ended."""
        self.is_table = name.startswith("tables/")
        self._path = os.path.join(base_path, name)
        self._deep = deep
        self._stamps: dict[str, Stamp] = {}
        self._lock = TableLock(is_held=False, has_file=False)

    def entries(self) -> Iterator[SourceEntry]:
        """Yield every folder and file of the unit, parents first, in the order of their names.

        A folder that is gone by now has none. Raise SourceChanged at the end,
        or midway, where a writer was at work: then everything yielded is to be
        forgotten.
        """
        self._stamps.clear()
        self.subfolders.clear()
        try:
            root = os.open(self._path, _OPEN_FOLDER)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in _NO_FOLDER:
                raise from_os_error(error, "read_source", self.name) from error
            yield self._other()
            return
        try:
            with table_locked(root, self.name) as self._lock:
                yield from self._walk(root)
                if not self._lock.is_held and self._has_changed(root):
                    raise SourceChanged(self.name)
        except FileNotFoundError as error:
            raise SourceChanged(self.name) from error
        finally:
            os.close(root)

    def _has_changed(self, root: int) -> bool:
        made_lock = has_lock(root) and not self._lock.has_file
        return made_lock or self._stamps != self._stamps_now(root)

    def _other(self) -> SourceOther:
        """Return the unit itself, which is no folder."""
        try:
            return SourceOther(self.name, os.lstat(self._path))
        except FileNotFoundError as error:
            raise SourceChanged(self.name) from error

    def _walk(self, root: int) -> Iterator[SourceEntry]:
        pending = [self.name]
        while pending:
            name = pending.pop()
            folder = self._open_folder(root, name)
            try:
                yield SourceFolder(name, self._stamped(name, os.fstat(folder)), folder)
                subfolders = []
                for entry in _sorted_entries(folder, name):
                    inner = f"{name}/{entry.name}"
                    if entry.is_file(follow_symlinks=False):
                        file = self._opened(folder, entry.name, inner)
                        try:
                            yield file
                        finally:
                            os.close(file.descriptor)
                    elif entry.is_dir(follow_symlinks=False):
                        subfolders.append(entry.name)
                    else:
                        # Some file systems do not say the kind of what is gone by now.
                        status = entry.stat(follow_symlinks=False)
                        yield SourceOther(inner, self._stamped(inner, status))
            finally:
                os.close(folder)
            if name == self.name:
                self.subfolders += subfolders
            if self._deep:
                pending += [f"{name}/{subfolder}" for subfolder in reversed(subfolders)]

    def _open_folder(self, root: int, name: str) -> int:
        """Return the folder `name`, of the unit that is open as `root`, open."""
        return _open(root, name[len(self.name) + 1 :] or ".", _OPEN_FOLDER, name)

    def _opened(self, folder: int, entry_name: str, name: str) -> SourceFile:
        """Return the file `entry_name` of an open folder, open."""
        descriptor = _open(folder, entry_name, _OPEN_FILE, name)
        try:
            if self._lock.is_held:
                status = os.fstat(descriptor)
            else:
                status = self._stamped(name, _settled(descriptor, name))
            if not stat.S_ISREG(status.st_mode):
                raise SourceChanged(name)
        except BaseException:
            os.close(descriptor)
            raise
        return SourceFile(name, status, descriptor)

    def _stamped(self, name: str, status: os.stat_result) -> os.stat_result:
        self._stamps[name] = _stamp(status)
        return status

    def _stamps_now(self, root: int) -> dict[str, Stamp]:
        """Return what `_walk` would record if it ran again now, without reading a file."""
        stamps = {self.name: _stamp(os.fstat(root))}
        pending = [self.name]
        while pending:
            name = pending.pop()
            folder = self._open_folder(root, name)
            try:
                for entry in _sorted_entries(folder, name):
                    inner = f"{name}/{entry.name}"
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder and self._deep:
                        pending.append(inner)
                    if self._deep or not is_folder:
                        stamps[inner] = _stamp(entry.stat(follow_symlinks=False))
            finally:
                os.close(folder)
        return stamps


def _open(folder: int, entry_name: str, flags: int, name: str) -> int:
    try:
        return os.open(entry_name, flags, dir_fd=folder)
    except FileNotFoundError as error:
        raise SourceChanged(name) from error
    except OSError as error:
        raise from_os_error(error, "read_source", name) from error


def _settled(descriptor: int, name: str) -> os.stat_result:
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


def _sorted_entries(folder: int, name: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))
    except OSError as error:
        raise from_os_error(error, "read_source", name) from error


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
