"""Locks held as by other processes, and what a backup holds."""

from __future__ import annotations

import fcntl
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from reedbase_backup import (
    list_backups,
)


class InBackground(Protocol):
    """Starts a function in a thread whose error fails the test."""

    def __call__(self, function: Callable[..., object], *arguments: object) -> threading.Thread: ...


@contextmanager
def flocked(path: Path, operation: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a file or folder as another process would."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


def content(base: Path, member: str) -> bytes:
    """A member of the newest backup."""
    with tarfile.open(base / "backups" / f"{list_backups(base)[0].id}.tar.gz") as opened:
        file = opened.extractfile(member)
        assert file is not None
        return file.read()
