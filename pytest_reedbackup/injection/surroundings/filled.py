"""A file system that is full, but for so many bytes or files."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.databases.clone import remove_tree

_SMALLEST = 4096
"""No file system gives a file less than that."""


@contextmanager
def room_for(place: Path, free_bytes: int) -> Iterator[None]:
    """Leave at most `free_bytes` on the file system at `place`, until the end of the block."""
    filler = place / "what fills the disk"
    with filler.open("wb") as file:
        size, step = 0, 1 << 62
        while (left := shutil.disk_usage(place).free - free_bytes) > 0 and step >= _SMALLEST:
            step = min(step, left)
            try:
                os.posix_fallocate(file.fileno(), size, step)
                size += step
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                step //= 2
        try:
            yield
        finally:
            # A process that is being started may hold it open for a moment.
            file.truncate(0)
            filler.unlink()


@contextmanager
def inodes_for(place: Path, files: int) -> Iterator[None]:
    """Leave room for just so many new files on the file system at `place`."""
    fillers = place / "what takes the inodes"
    fillers.mkdir()
    try:
        for number in range(max(0, os.statvfs(place).f_ffree - files)):
            (fillers / str(number)).touch()
        yield
    finally:
        remove_tree(fillers)
