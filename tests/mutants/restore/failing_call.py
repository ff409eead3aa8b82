"""Mutants in what a restore does when a system call fails: it swallows, forgets, hangs or dies."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.locking import KeepsLocks
from mutants.model import Archive, Entry, ReedError, RestoreReport, corrupted
from mutants.syncing import write_unsynced
from mutants.tar_gz import ROOTS


class _Failing(Conforming):
    """Does something wrong where a system call of a restore fails."""

    breaks = "restore/failing-call"


# Swallowed --------------------------------------------------------------------


class SwallowsWrites(_Failing):
    """A file that cannot be written comes back as far as it went."""

    at = r"^write#\d+ ENOSPC .*new/"

    def write_file(self, path: Path, entry: Entry) -> None:
        with suppress(OSError):
            super().write_file(path, entry)


class SwallowsModes(_Failing):
    """A folder whose mode cannot be set keeps the one that it was made with."""

    at = r"^fchmod#\d+ EIO .*tables/text$"

    def settle_folder(self, path: Path, entry: Entry) -> None:
        with suppress(OSError):
            super().settle_folder(path, entry)


class SwallowsRenames(_Failing):
    """A tree that cannot be put in its place is passed over."""

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        with suppress(OSError):
            super().swap_root(live, new, old)


class SwallowsSyncs(_Failing):
    """A sync that fails is passed over."""

    at = r"^fsync#\d+ EIO .*csv"

    def sync(self, path: Path) -> None:
        with suppress(OSError):
            super().sync(path)

    def write_file(self, path: Path, entry: Entry) -> None:
        write_unsynced(path, entry)
        self.sync(path)


class TakesErrorsForAbsence(_Failing):
    """What cannot be looked at is taken not to be there, as os.path.lexists has it."""

    shown_by = "ticket/restore/failing-call"
    at = r"stat\w*#\d+ EIO .*swap/new/indices$"

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        if os.path.lexists(new):
            super().swap_root(live, new, old)
        else:
            self.retire(live, old)


class RestoresWithoutIndices(_Failing):
    """Where indices/ cannot be staged, they are left out: they can be built again."""

    at = r"^write#\d+ ENOSPC .*indices"

    def write_file(self, path: Path, entry: Entry) -> None:
        try:
            super().write_file(path, entry)
        except OSError:
            if not entry.name.startswith("indices"):
                raise


# Forgotten --------------------------------------------------------------------


class UndoesNothing(_Failing):
    """An error is answered, and the next call finishes what it is about."""

    def undo_swap(self, base: Path) -> None:
        pass


class UndoesTablesOnly(_Failing):
    """After an error tables/ are as before, and indices/ as they were to be."""

    def take_roots_back(self, base: Path, swap: Path) -> None:
        root = ROOTS[0]
        self.take_back_root(base / root, swap / "new" / root, swap / "old" / root)


class KeepsNoCopies(_Failing):
    """Where a tree cannot be renamed it is written anew, and what was there is lost."""

    at = r"^rename#\d+\+ EACCES"

    def keep(self, live: Path, kept: Path) -> None:
        pass


class IsBlockedByItsStaging(_Failing):
    """The staging folder stays after an error, and is in the way of the next restore."""

    at = r"^write#\d+ ENOSPC"

    def stage(self, staging: Path, entries: list[Entry]) -> None:
        staging.mkdir(0o700)
        staging.rmdir()
        super().stage(staging, entries)

    def throw_away(self, base: Path) -> None:
        for name in (".swap", ".swapped"):
            remove(base / name)


class FailsWhenItIsDone(_Failing):
    """What cannot be thrown away makes a restore an error that has been done."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        super().install(base, entries)
        for name in (".staging", ".swapped"):
            (base / name).mkdir()
            (base / name).rmdir()


class KeepsTheLock(KeepsLocks, _Failing):
    """The base stays locked after an error, for as long as the process lives."""


# Hung, dead, nameless ---------------------------------------------------------


class TriesForEver(_Failing):
    """A rename that fails is tried again until it succeeds."""

    at = r"^rename#\d+\+ EIO .*(tables|indices)$"

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        while True:
            with suppress(OSError):
                return super().swap_root(live, new, old)
            time.sleep(0.01)


class Dies(_Failing):
    """The process ends where a file cannot be written."""

    at = r"^write#\d+ ENOSPC .*new/"

    def write_file(self, path: Path, entry: Entry) -> None:
        try:
            super().write_file(path, entry)
        except OSError:
            os._exit(1)


class LetsErrorsThrough(_Failing):
    """The error is the system's, of no kind that is documented."""

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            raise


class FallsBack(_Failing):
    """Where a backup cannot be read, another one is restored."""

    at = r"^read#\d+ EIO .*tar.gz"

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except OSError as error:
            others = [a for a in self.archives(archive.path.parents[1]) if a != archive]
            if not others:
                raise corrupted(archive, str(error)) from error
            return super().decompress(others[0])
