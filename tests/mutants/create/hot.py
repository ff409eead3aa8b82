"""Mutants in tables that are written to: locks not taken, let go early, or waited for in vain."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, Entry, ReedError
from mutants.tar_gz import TarGz


class TakesNoLocks(Conforming):
    """Tables are read as they are, locked or not."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        yield True


class LooksAtLocks(Conforming):
    """A lock is waited for and let go before the table is read."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        with super().table_locked(table):
            pass
        yield True


class LocksEachFile(Conforming):
    """The lock is held for each file by itself, not for the table."""

    breaks = "create/hot"

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        return TarGz.walk(self, path, name)

    def entry(self, path: Path, name: str) -> Entry:
        if not name.startswith("tables/") or name.count("/") != 2:
            return super().entry(path, name)
        with self.table_locked(path.parent):
            return super().entry(path, name)


class LocksTheFirst(Conforming):
    """Only the first table's lock is taken."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        if table.name != min(os.listdir(table.parent)):
            yield True
            return
        with super().table_locked(table) as had_lock:
            yield had_lock


class LocksTheLast(Conforming):
    """Only the last table's lock is taken."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        if table.name != max(os.listdir(table.parent)):
            yield True
            return
        with super().table_locked(table) as had_lock:
            yield had_lock


class LocksTheFolder(Conforming):
    """flock is on the table's folder, where no writer looks."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        folder = os.open(table, os.O_RDONLY)
        try:
            self.take(folder, table)
            yield True
        finally:
            os.close(folder)


class PosixLocks(Conforming):
    """The lock is fcntl's, which flock knows nothing of."""

    breaks = "create/hot"

    def take(self, lock: int, table: Path) -> None:
        fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


class LocksAnotherFile(Conforming):
    """The lock is on current.csv."""

    breaks = "create/hot"

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        try:
            lock = os.open(table / "current.csv", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            yield True
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield True
        finally:
            os.close(lock)


class GivesUpAndReads(Conforming):
    """A lock that stays taken is passed over after a while, and the table read."""

    breaks = "create/hot"
    table_timeout_secs = 0

    def take(self, lock: int, table: Path) -> None:
        with suppress(ReedError):
            super().take(lock, table)


class ReadsBeforeItWaits(Conforming):
    """current.csv is read before the lock is there."""

    breaks = "create/hot"

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        current = path / "current.csv"
        early = current.read_bytes() if current.is_file() else b""
        for entry in super().read_table(path, name):
            is_current = entry.name == f"{name}/current.csv"
            yield entry._replace(content=early) if is_current else entry


class ListsBeforeItWaits(Conforming):
    """Which files a table has is looked at before the lock is there."""

    breaks = "create/hot"

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        names = {f"{name}/{child}" for child in os.listdir(path)}
        for entry in super().read_table(path, name):
            if entry.name == name or entry.name in names or entry.name.count("/") > 2:
                yield entry


class SkipsLockedTables(Conforming):
    """A table that is locked is left out."""

    breaks = "create/hot"
    table_timeout_secs = 0

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        try:
            entries = list(super().read_table(path, name))
        except ReedError as error:
            if error.kind != "LockTimeout":
                raise
            return iter(())
        return iter(entries)


class WaitsForever(Conforming):
    """A lock that stays taken is waited for without end."""

    breaks = "create/hot"
    is_slow = True

    def take(self, lock: int, table: Path) -> None:
        fcntl.flock(lock, fcntl.LOCK_SH)


class WaitsTooLong(Conforming):
    """A lock that stays taken is waited for for 90 s."""

    breaks = "create/hot"
    is_slow = True
    table_timeout_secs = 90


class IsAnIoError(Conforming):
    """A lock that stays taken is an IoError."""

    breaks = "create/hot"

    def lock_timeout(self, table: Path) -> ReedError:
        return ReedError("IoError", f"{table.name} is locked", operation="lock", reason="locked")


class NamesNoTable(Conforming):
    """LockTimeout says that some table is locked."""

    breaks = "create/hot"

    def lock_timeout(self, table: Path) -> ReedError:
        return ReedError("LockTimeout", "a table is locked", timeout_secs=2)


class NamesTheFirst(Conforming):
    """LockTimeout names the first table, whichever is locked."""

    breaks = "create/hot"

    def lock_timeout(self, table: Path) -> ReedError:
        return super().lock_timeout(min(table.parent.iterdir()))


class ArchivesWhatItHas(Conforming):
    """After LockTimeout there is an archive of the tables before."""

    breaks = "create/hot"

    def store(self, base: Path, seconds: int) -> Archive:
        try:
            return super().store(base, seconds)
        except ReedError as error:
            if error.kind == "LockTimeout":
                some = [Entry("tables", True, 0o700, time.time(), b"")]
                self.write_archive(self.free_name(base, seconds), self.compress(self.pack(some)))
            raise


class BreaksTheLock(Conforming):
    """A lock that stays taken is replaced by a fresh one."""

    breaks = "create/hot"

    def take(self, lock: int, table: Path) -> None:
        try:
            super().take(lock, table)
        except ReedError:
            (table / ".lock").unlink()
            (table / ".lock").touch()
