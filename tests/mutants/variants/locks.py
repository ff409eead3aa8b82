"""Other locks, and other ways to wait for them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.conforming import Conforming
from mutants.locking import let_go
from mutants.model import (
    Archive,
    Entry,
    ReedError,
)


class LockInBackups(Conforming):
    """backups/.lock is made by the first create and stays."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backups" / ".lock"
            if not lock.exists():
                yield
                return
            descriptor = os.open(lock, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                let_go(descriptor)

    def prune(self, base: Path, made: Archive) -> None:
        if not os.path.lexists(base / "backups" / ".lock"):
            self.write_archive(base / "backups" / ".lock", b"")
        super().prune(base, made)


class LocksTables(Conforming):
    """Every table's .lock is opened as for writing, which sets its mtime."""

    def source(self, base: Path) -> Iterator[Entry]:
        for lock in (base / "tables").glob("*/.lock"):
            if lock.is_file() and not lock.is_symlink():
                lock.open("wb").close()
        return super().source(base)


class LockInTheBase(Conforming):
    """A file in the base is the lock, for as long as a call lasts."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backup.pid"
            # One that a killed process left is taken over: flock says that nobody has it.
            self.write_archive(lock, str(os.getpid()).encode())
            try:
                yield
            finally:
                with suppress(OSError):
                    lock.unlink()


class WaitsForNobody(Conforming):
    """Where another process works on the base, a call is a LockTimeout at once."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        if base.is_dir():
            descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ReedError("LockTimeout", "busy", table="", timeout_secs=0) from None
            finally:
                let_go(descriptor)
        with super().locked(base):
            yield


class LocksAsAWriter(Conforming):
    """Tables are locked exclusively, and waited for in long steps."""

    def take(self, lock: int, table: Path) -> None:
        deadline = time.monotonic() + self.table_timeout_secs
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
        raise self.lock_timeout(table)
