"""The lock on a table, used as the database's own writers use it.

Where a file system has no flock (some file servers), a table's writers cannot
have locks either, and a table is then read as one without.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from reedbase_backup.disk import flock
from reedbase_backup.disk.folders import close, status

TABLE_TIMEOUT_SECS = 10
"""How long a backup waits for a table's writer; `last/` itself gives up after about 5 s."""

LOCK_NAME = ".lock"
"""A table's lock file, in its folder (contract `last`, "On disk")."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# There is none, or it is closed to us, a symlink or a socket: a backup's walk
# then refuses it by name, and a restore replaces it.
_NO_LOCK = (errno.ENOENT, errno.EACCES, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP)
# A file or symlink, gone, or what nobody without more rights than ours writes to.
_NO_TABLE = (errno.ENOTDIR, errno.ELOOP, errno.ENOENT, errno.EACCES)


@dataclass(frozen=True, slots=True)
class TableLock:
    """What came of locking a table."""

    is_held: bool
    has_file: bool
    """Whether there is a `.lock`, if only one that its file system cannot lock."""


@contextmanager
def table_locked(folder: int, name: str) -> Iterator[TableLock]:
    """Hold table `name`'s `.lock`, if it has one.

    `folder` is the table folder's descriptor. A shared lock keeps out writers,
    which take exclusive ones. No lock file is made: the source stays untouched.
    """
    try:
        descriptor = os.open(
            LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError as error:
        if error.errno not in _NO_LOCK:
            raise
        yield TableLock(is_held=False, has_file=False)
        return
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        yield TableLock(is_file and _lock_table(descriptor, name), is_file)
    finally:
        close(descriptor)


def _lock_table(descriptor: int, name: str) -> bool:
    try:
        flock.acquire(descriptor, fcntl.LOCK_SH, name, TABLE_TIMEOUT_SECS)
    except OSError as error:
        if error.errno not in flock.UNSUPPORTED:
            raise
        return False
    return True


def has_lock(folder: int) -> bool:
    """Return whether the table whose folder is open as `folder` has a `.lock` by now."""
    lock = status(folder, LOCK_NAME)
    return lock is not None and stat.S_ISREG(lock.st_mode)


def enter_table(held: ExitStack, tables: int, name: str) -> None:
    """Hold the lock of the table `name` in the open folder `tables` until `held` ends."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=tables)
    except OSError as error:
        if error.errno in _NO_TABLE:
            return
        raise
    try:
        held.enter_context(table_locked(folder, f"tables/{name}"))
    finally:
        close(folder)
