"""Locks on the base folder and on tables, in the way the database's own writers use them.

A restore holds the `.lock` of every table from before the live trees are touched
until they are in place, however many there are: beyond the open files that this
process may have, child processes hold the rest. Where a file system has no
flock (some file servers), a base is locked through a file `.reedbackup-lock`, there
only meanwhile; its tables' writers cannot have locks there either, and a
table is then read as one without.
"""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from reedbase_backup.disk import flock, lock_holder
from reedbase_backup.disk.existence import says_nothing_exists
from reedbase_backup.disk.folders import close, opened, status
from reedbase_backup.errors import IoError, translated

BASE_TIMEOUT_SECS = 30
"""How long a call waits for another backup or restore of the same base."""

TABLE_TIMEOUT_SECS = 10
"""How long a backup waits for a table's writer; `last/` itself gives up after about 5 s."""

LOCK_NAME = ".lock"
"""A table's lock file, in its folder (contract `last`, "On disk")."""

_BASE_LOCK_NAME = ".reedbackup-lock"

_SPARE_DESCRIPTORS = 64
"""How many open files a restore needs beside the tables' locks, at most."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOCK_FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# There is none, or it is closed to us, a symlink or a socket: a backup's walk
# then refuses it by name, and a restore replaces it.
_NO_LOCK = (errno.ENOENT, errno.EACCES, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP)
# A file or symlink, gone, or what nobody without more rights than ours writes to.
_NO_TABLE = (errno.ENOTDIR, errno.ELOOP, errno.ENOENT, errno.EACCES)


def open_base(base_path: str) -> int:
    """A descriptor of the base folder.

    Raises IoError where `base_path` is missing or no folder.
    """
    try:
        return os.open(base_path, _FOLDER)
    except (OSError, ValueError) as error:
        if not says_nothing_exists(error):
            raise
        raise IoError(
            "open_base",
            f"{base_path or 'the empty path'} is not a folder; give the path of a .reed database",
        ) from error


@contextmanager
def base_locked(base_path: str) -> Iterator[int]:
    """Holds the base for one backup or restore at a time; yields its descriptor.

    The lock is on the folder itself, so that it leaves no file behind.
    Raises IoError where the base is missing, LockTimeout where another process
    keeps it for BASE_TIMEOUT_SECS.
    """
    with translated("open_base", base_path):
        descriptor = open_base(base_path)
    try:
        with ExitStack() as held:
            with translated("lock_base", base_path):
                try:
                    flock.acquire(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)
                except OSError as error:
                    if error.errno not in flock.UNSUPPORTED:
                        raise
                    held.enter_context(_base_locked_by_file(descriptor, base_path))
                else:
                    _remove_lock_file(descriptor)
            yield descriptor
    finally:
        close(descriptor)


@contextmanager
def base_watched(base_path: str) -> Iterator[None]:
    """Lets no backup or restore of the base begin meanwhile, and changes nothing on disk.

    Where the folder itself cannot be locked, it goes without. Raises as `base_locked`.
    """
    with translated("open_base", base_path):
        descriptor = open_base(base_path)
    try:
        with translated("lock_base", base_path):
            try:
                flock.acquire(descriptor, fcntl.LOCK_SH, base_path, BASE_TIMEOUT_SECS)
            except OSError as error:
                if error.errno not in flock.UNSUPPORTED:
                    raise
        yield
    finally:
        close(descriptor)


@contextmanager
def _base_locked_by_file(base: int, base_path: str) -> Iterator[None]:
    path = os.path.join(base_path, _BASE_LOCK_NAME)
    while True:
        with translated("lock_base", path):
            descriptor = os.open(_BASE_LOCK_NAME, _LOCK_FILE, 0o600, dir_fd=base)
        try:
            _check_lock_file(base, descriptor, path)
            _acquire_somehow(descriptor, base_path)
            # Its last holder may have removed it since it was opened.
            named = status(base, _BASE_LOCK_NAME)
            if named is not None and os.path.samestat(named, os.fstat(descriptor)):
                try:
                    yield
                finally:
                    with suppress(OSError):
                        os.unlink(_BASE_LOCK_NAME, dir_fd=base)
                return
        finally:
            close(descriptor)


def _remove_lock_file(base: int) -> None:
    """Removes what a killed call left, where the folder itself can be locked."""
    found = status(base, _BASE_LOCK_NAME)
    if found is not None and stat.S_ISREG(found.st_mode) and not found.st_size:
        with suppress(OSError):
            os.unlink(_BASE_LOCK_NAME, dir_fd=base)


def _check_lock_file(base: int, descriptor: int, path: str) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size:
        raise IoError("lock_base", f"{path} is no lock file of ours; move it away")
    # Whoever may change the base may lock it.
    wanted = 0o600 | os.fstat(base).st_mode & 0o066
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != wanted:
        os.fchmod(descriptor, wanted)


def _acquire_somehow(descriptor: int, base_path: str) -> None:
    try:
        flock.acquire(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)
    except OSError as error:
        if error.errno not in flock.UNSUPPORTED:
            raise
        flock.acquire_record(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)


@dataclass(frozen=True, slots=True)
class TableLock:
    """What came of locking a table."""

    is_held: bool
    has_file: bool
    """Whether there is a `.lock`, if only one that its file system cannot lock."""


@contextmanager
def table_locked(folder: int, name: str) -> Iterator[TableLock]:
    """Holds table `name`'s `.lock`, if it has one.

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
    """Whether the table whose folder is open as `folder` has a `.lock` by now."""
    found = status(folder, LOCK_NAME)
    return found is not None and stat.S_ISREG(found.st_mode)


@contextmanager
def tables_locked(base: int) -> Iterator[None]:
    """Holds the `.lock` of every table of the open base, so that no writer is midway.

    Raises LockTimeout, IoError where there are too many to hold, or OSError.
    """
    with ExitStack() as held:
        try:
            tables = held.enter_context(opened(base, "tables"))
            names = sorted(os.listdir(tables))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            # None, a file or symlink, or closed to us: no writer is in there.
            names = []
        room = _room_for_descriptors(tables, len(names)) if names else 0
        for name in names[:room]:
            enter_table(held, tables, name)
        if names[room:]:
            held.enter_context(
                lock_holder.held_by_children(tables, names[room:], _room_in_a_child())
            )
        yield


def enter_table(held: ExitStack, tables: int, name: str) -> None:
    """Holds the lock of the table `name` in the open folder `tables` until `held` ends."""
    try:
        folder = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=tables)
    except OSError as error:
        if error.errno in _NO_TABLE:
            return
        raise
    try:
        held.enter_context(table_locked(folder, f"tables/{name}"))
    finally:
        close(folder)


def _room_for_descriptors(descriptor: int, wanted: int) -> int:
    """How many of the `wanted` locks this process may hold, its soft limit raised as need be."""
    # The lowest that is free: below it, all are taken.
    taken = os.dup(descriptor)
    close(taken)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and taken + wanted + _SPARE_DESCRIPTORS > soft != hard:
        with suppress(OSError, ValueError):
            # macOS refuses the infinite limit that it names.
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(0, min(wanted, soft - min(_SPARE_DESCRIPTORS, soft // 2) - taken))


def _room_in_a_child() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft // 2)
