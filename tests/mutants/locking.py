"""How the conforming implementation keeps others out: backups, restores, tables' writers."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mutants.in_place import is_folder
from mutants.model import Entry, ReedError, io_errors
from mutants.syncing import close
from mutants.tar_gz import TarGz

_NO_LOCK = (errno.ENOENT, errno.ELOOP, errno.ENXIO)
_POLL_SECS = 0.002


class Locking(TarGz):
    """A base is one call's at a time, and a table is read while nobody writes to it."""

    table_timeout_secs = 2

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        """One writer at a time; what the system refuses becomes an IoError."""
        with io_errors("backup"), self.flocked(base, fcntl.LOCK_EX):
            yield

    @contextmanager
    def flocked(self, base: Path, how: int) -> Iterator[None]:
        descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            let_go(descriptor)

    def walk(self, path: Path, name: str) -> Iterator[Entry]:
        if name.startswith("tables/") and name.count("/") == 1:
            yield from self.read_table(path, name)
        else:
            yield from super().walk(path, name)

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        """All of a table, as it is while its lock is held."""
        while True:
            with self.table_locked(path) as had_lock:
                entries = list(super().walk(path, name))
            # One that had no lock may have got its first writer meanwhile.
            if had_lock or not (path / ".lock").is_file():
                return iter(entries)

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        """Holds the table's `.lock` against writers; whether it has one."""
        try:
            lock = os.open(table / ".lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno not in _NO_LOCK:
                raise
            # What is no lock is for the walk to refuse.
            yield os.path.lexists(table / ".lock")
            return
        try:
            if stat.S_ISREG(os.fstat(lock).st_mode):
                self.take(lock, table)
            yield True
        finally:
            let_go(lock)

    @contextmanager
    def all_tables_locked(self, base: Path) -> Iterator[None]:
        """Holds every table at once, for who reads them in one go."""
        with ExitStack() as locks:
            for table in sorted((base / "tables").iterdir()):
                if is_folder(table):
                    locks.enter_context(self.table_locked(table))
            yield

    def take(self, lock: int, table: Path) -> None:
        deadline = time.monotonic() + self.table_timeout_secs
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self.lock_timeout(table) from None
                time.sleep(_POLL_SECS)
            else:
                return

    def lock_timeout(self, table: Path) -> ReedError:
        secs = self.table_timeout_secs
        words = f"table {table.name} is locked since {secs} s"
        return ReedError("LockTimeout", words, table=table.name, timeout_secs=secs)


class KeepsLocks(Locking):
    """The base stays locked after an error, for as long as the process lives."""

    @contextmanager
    def flocked(self, base: Path, how: int) -> Iterator[None]:
        descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, how)
        yield
        os.close(descriptor)


def let_go(lock: int) -> None:
    """Gives a lock back, though its descriptor may not be closed."""
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_UN)
    close(lock)
