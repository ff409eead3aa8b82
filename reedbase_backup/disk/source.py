"""Reading the live tables/ and indices/ while the database may be writing them.

The unit is one table, or all of indices/. A table with a `.lock` is read under
it. Where there is none, the unit is read without, checked afterwards for a
change meanwhile, and read again if there was one.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from operator import attrgetter

from reedbase_backup.disk.source_entries import (
    SourceChanged,
    SourceEntry,
    SourceFiles,
    SourceFolder,
    SourceOther,
    Stamp,
    opening_failed,
    stamp,
)
from reedbase_backup.disk.table_lock import TABLE_TIMEOUT_SECS, TableLock, has_lock, table_locked
from reedbase_backup.errors import LockTimeout, from_os_error

_RETRY_PAUSE_SECS = 0.02
_OPEN_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC

# What O_DIRECTORY and O_NOFOLLOW say of a file and, on macOS, of a symlink.
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)


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
            # Closed here: what fails to be closed by the garbage collector, no caller hears of.
            with closing(unit.entries()) as entries:
                for entry in entries:
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

    def entries(self) -> Generator[SourceEntry, None, None]:
        """Yield every folder of the unit with what is in it, parents first, in the order of names.

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
                entry = SourceFolder(name, self._stamped(name, os.fstat(folder)), folder)
                yield entry
                files, subfolders = [], []
                for inner in _sorted_entries(folder, name):
                    if inner.is_file(follow_symlinks=False):
                        files.append(inner.name)
                    elif inner.is_dir(follow_symlinks=False):
                        subfolders.append(inner.name)
                    else:
                        yield self._special(inner, name)
                yield SourceFiles(entry, files, None if self._lock.is_held else self._stamps)
            finally:
                os.close(folder)
            if name == self.name:
                self.subfolders += subfolders
            if self._deep:
                pending += [f"{name}/{subfolder}" for subfolder in reversed(subfolders)]

    def _open_folder(self, root: int, name: str) -> int:
        """Return the folder `name`, of the unit that is open as `root`, open."""
        try:
            return os.open(name[len(self.name) + 1 :] or ".", _OPEN_FOLDER, dir_fd=root)
        except OSError as error:
            raise opening_failed(error, name) from error

    def _special(self, entry: os.DirEntry[str], folder: str) -> SourceOther:
        # Some file systems do not say the kind of what is gone by now.
        name, status = f"{folder}/{entry.name}", entry.stat(follow_symlinks=False)
        return SourceOther(name, self._stamped(name, status))

    def _stamped(self, name: str, status: os.stat_result) -> os.stat_result:
        self._stamps[name] = stamp(status)
        return status

    def _stamps_now(self, root: int) -> dict[str, Stamp]:
        """Return what `_walk` would record if it ran again now, without reading a file."""
        stamps = {self.name: stamp(os.fstat(root))}
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
                        stamps[inner] = stamp(entry.stat(follow_symlinks=False))
            finally:
                os.close(folder)
        return stamps


def _sorted_entries(folder: int, name: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))
    except OSError as error:
        raise from_os_error(error, "read_source", name) from error
