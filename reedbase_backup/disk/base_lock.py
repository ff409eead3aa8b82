"""The lock on a base folder, which keeps out other backups and restores of it.

Where a file system has no flock (some file servers), a base is locked through a
file `.reedbackup-lock`, there only meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from reedbase_backup.disk import flock
from reedbase_backup.disk.existence import says_nothing_exists
from reedbase_backup.disk.folders import close, status
from reedbase_backup.errors import IoError, translated

BASE_TIMEOUT_SECS = 30
"""How long a call waits for another backup or restore of the same base."""

_BASE_LOCK_NAME = ".reedbackup-lock"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LOCK_FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_base(base_path: str) -> int:
    """Return a descriptor of the base folder.

    Raise IoError where `base_path` is missing or no folder.
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
    """Hold the base for one backup or restore at a time, and yield its descriptor.

    The lock is on the folder itself, so that it leaves no file behind.
    Raise IoError where the base is missing, LockTimeout where another process
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
    """Let no backup or restore of the base begin meanwhile, and change nothing on disk.

    Where the folder itself cannot be locked, it goes without. Raise as `base_locked`.
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
    """Remove what a killed call left, where the folder itself can be locked."""
    lock = status(base, _BASE_LOCK_NAME)
    if lock is not None and stat.S_ISREG(lock.st_mode) and not lock.st_size:
        with suppress(OSError):
            os.unlink(_BASE_LOCK_NAME, dir_fd=base)


def _check_lock_file(base: int, descriptor: int, path: str) -> None:
    lock_file = os.fstat(descriptor)
    if not stat.S_ISREG(lock_file.st_mode) or lock_file.st_size:
        raise IoError("lock_base", f"{path} is no lock file of ours; move it away")
    # Whoever may change the base may lock it.
    wanted = 0o600 | os.fstat(base).st_mode & 0o066
    if lock_file.st_uid == os.geteuid() and stat.S_IMODE(lock_file.st_mode) != wanted:
        os.fchmod(descriptor, wanted)


def _acquire_somehow(descriptor: int, base_path: str) -> None:
    try:
        flock.acquire(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)
    except OSError as error:
        if error.errno not in flock.UNSUPPORTED:
            raise
        flock.acquire_record(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)
