"""The exclusive flock that writers of a table hold, as the baseline's do."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.errors import IoError, LockTimeout
from reedbase_backup.last.os_errors import reason, reported

# Contract `last`, "restore" 2: 50 tries, 5 … 100 ms apart.
TRIES = 50
FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.1

# The pauses add up to 4.6 s.
TIMEOUT_SECS = 5


@contextmanager
def table(path: Path) -> Iterator[None]:
    """Hold the lock file `path` of a table, which is made if it is missing.

    A symlink is not followed (the port's answer to D17). Raise IoError
    (create_lock_file) where the file cannot be opened, IoError
    (acquire_write_lock) after 50 tries, or where it cannot be locked at all.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with reported("create_lock_file"):
        descriptor = os.open(path, flags, 0o666)
    try:
        with reported("acquire_write_lock"):
            is_held = _acquire(descriptor)
        if not is_held:
            busy = reason(BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
            raise IoError(
                operation="acquire_write_lock",
                reason=f"Failed to acquire lock after {TRIES} attempts: {busy}",
            )
        yield
    finally:
        os.close(descriptor)


@contextmanager
def folder(path: Path, name: str) -> Iterator[None]:
    """Hold the folder `path` itself. Raise LockTimeout with `name` after 50 tries, and OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _acquire(descriptor):
            raise LockTimeout(table=name, timeout_secs=TIMEOUT_SECS)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int) -> bool:
    """Try 50 times; return whether one try succeeded."""
    pause = FIRST_PAUSE
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False
