"""The exclusive flock that writers of a table hold, as the baseline's do."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.errors import LockTimeout
from reedbase_backup.last.os_errors import reported_write

# Contract `last`, "restore" 2: 50 tries, 5 … 100 ms apart.
TRIES = 50
FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.1

# The pauses add up to 4.6 s.
TIMEOUT_SECS = 5


@contextmanager
def exclusive(path: Path, name: str) -> Iterator[None]:
    """Hold the lock of `path`, a folder or a file that is made if it is missing.

    Raises LockTimeout with `name` after 50 tries.
    """
    with reported_write("open_lock", path):
        descriptor = _open(path)
    try:
        _acquire(descriptor, name)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _acquire(descriptor: int, name: str) -> None:
    pause = FIRST_PAUSE
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return
    raise LockTimeout(table=name, timeout_secs=TIMEOUT_SECS)
