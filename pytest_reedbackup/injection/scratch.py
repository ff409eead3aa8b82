"""Folders that are there for a while, in memory where that can be: five times as fast as a disk.

Whoever has one holds its lock. A process that is killed leaves its folders, with disks mounted
in them: the next one takes these for what nobody holds, and removes them.
"""

from __future__ import annotations

import fcntl
import functools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.injection.mounts import mounts_below

_PREFIX = "reedbackup-scratch-"
_NEW_SECS = 60.0
"""For so long a folder may be one whose maker is just about to lock it."""


def memory() -> Path:
    """Return the folder in memory; where there is none, that of all temporary files."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a new folder, and remove it with all that is in it, be it closed to writers."""
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory()))
    with _open(folder) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            remove_tree(folder)


@functools.cache
def _remove_abandoned() -> None:
    """Remove the folders of processes that are no more; once a process."""
    for folder in memory().glob(f"{_PREFIX}*"):
        # It may be gone by now, held, or nothing of ours: anybody may make names there.
        with suppress(OSError), _open(folder) as lock:
            status = os.fstat(lock)
            if status.st_uid == os.geteuid() and time.time() - status.st_mtime > _NEW_SECS:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with mounts_below(folder):
                    pass
                remove_tree(folder)


@contextmanager
def _open(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
