"""A conforming implementation of contract `ticket`, with the standard library alone.

It shares nothing with the reference, and is as plain as it can be: archives are
held in memory, and every step is a small method, so that a mutant overrides one.
It survives power cuts, kills and failing system calls: what is reported is on the disk,
what failed is taken back, and what neither could be is the next call's to finish.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mutants.in_place import is_folder, remove
from mutants.locking import Locking
from mutants.model import (
    SUFFIX,
    Archive,
    BackupInfo,
    Entry,
    ReedError,
    RestoreReport,
)
from mutants.swapping import Swapping
from reedbase_backup.types import U64_MAX

KEEP = 32
PARTIAL = "unfinished"

# The first of a second is 5-1.tar.gz; what others made is 5.tar.gz.
NAME = re.compile(r"(0|[1-9][0-9]*)(?:-([1-9][0-9]*))?\.tar\.gz", re.ASCII)


class Conforming(Locking, Swapping):
    """Contract `ticket`, plainly."""

    capabilities: tuple[str, ...] = ("clock",)
    is_slow = False
    """Whether it takes more than a minute to catch it, if it is a mutant."""
    shown_by = ""
    """The only case of its rule that is run against it, if it is a mutant that one alone shows."""
    at = ""
    """A pattern of the points that show it, where a sample of a sweep may not come to one."""

    # The three functions -----------------------------------------------------

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            self.require_tables(base)
            self.tidy(base / "backups")
            made = self.store(base, self.seconds(now_ns))
            try:
                info = self.info_of(made)
                self.prune(base, made)
            except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                self.take_back(made.path)
                raise
            return info

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = [self.info_of(archive) for archive in self.archives(Path(base_path))]
        return [info for info in infos if info is not None]

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started = time.monotonic_ns()
        base = Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            entries = self.read(self.pick(self.archives(base), target_timestamp))
            self.install(base, entries)
        return self.report(entries, time.monotonic_ns() - started)

    # Names and order ---------------------------------------------------------

    def seconds(self, now_ns: int | None) -> int:
        return (time.time_ns() if now_ns is None else now_ns) // 10**9

    def parse(self, path: Path) -> Archive | None:
        match = NAME.fullmatch(path.name)
        if match is None or int(match[1]) > U64_MAX:
            return None
        return Archive(int(match[1]), int(match[2] or 0), path)

    def free_name(self, base: Path, seconds: int) -> Path:
        numbers = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        return base / "backups" / f"{seconds}-{max(numbers, default=0) + 1}{SUFFIX}"

    def archives(self, base: Path) -> list[Archive]:
        """What is under an archive's name, readable or not, newest first."""
        try:
            with os.scandir(base / "backups") as entries:
                paths = [Path(e.path) for e in entries if e.is_file(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((a for path in paths if (a := self.parse(path))), reverse=True)

    def info_of(self, archive: Archive) -> BackupInfo | None:
        """What the archive says of itself; None where it is unreadable."""
        try:
            return archive.described(self.count_tables(self.read(archive)))
        except (ReedError, FileNotFoundError):
            return None  # damaged, or pruned while we looked

    def count_tables(self, entries: Iterable[Entry]) -> int:
        return len({e.name.split("/")[1] for e in entries if _is_in_a_table(e)})

    # Creating ----------------------------------------------------------------

    def require_tables(self, base: Path) -> None:
        if not (base / "tables").is_dir():
            raise ReedError("NoTablesFound", "No tables found")

    def store(self, base: Path, seconds: int) -> Archive:
        """Writes the archive beside its place and moves it there."""
        backups = base / "backups"
        is_new = not backups.exists()
        partial = backups / PARTIAL
        try:
            self.make_backups(backups)
            if is_new:
                self.sync(base)
            self.write_archive(partial, self.compress(self.pack(self.source(base))))
            path = self.free_name(base, seconds)
            self.publish(partial, path)
        except BaseException:
            with suppress(OSError):
                remove(partial)
                if is_new:
                    backups.rmdir()
            raise
        made = self.parse(path)
        assert made is not None
        return made

    def tidy(self, backups: Path) -> None:
        """Throws away what a killed create has left."""
        if is_folder(backups):
            remove(backups / PARTIAL)

    def make_backups(self, backups: Path) -> None:
        backups.mkdir(0o700, exist_ok=True)

    def write_archive(self, partial: Path, content: bytes) -> None:
        """A fresh file for nobody else: others may have put anything under that name."""
        remove(partial)
        with open(partial, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)

    def publish(self, partial: Path, path: Path) -> None:
        """Gives a written archive its name, both for good."""
        self.sync(partial)
        partial.rename(path)
        try:
            self.sync(path.parent)
        except BaseException:
            self.take_back(path)
            raise

    def take_back(self, path: Path) -> None:
        """No archive of a create that fails stays under its name."""
        with suppress(OSError):
            partial = path.with_name(PARTIAL)
            path.rename(partial)
            partial.unlink()

    def prune(self, base: Path, made: Archive) -> None:
        others = [a for a in self.archives(base) if a != made and self.info_of(a)]
        for number, archive in enumerate(others[KEEP - 1 :]):
            try:
                archive.path.unlink()
            except OSError:
                if not number:
                    raise  # as all is there, all can be as before
        if others[KEEP - 1 :]:
            with suppress(OSError):  # the new one is on the disk, and there is no way back
                self.sync(base / "backups")

    # Reading -----------------------------------------------------------------

    def pick(self, archives: list[Archive], target: int) -> Archive:
        for archive in archives:
            if archive.timestamp <= target:
                return archive
        raise self.not_found(archives, target)

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        oldest = archives[-1].timestamp if archives else None
        return ReedError("BackupNotFound", "no backup that old", target=target, oldest=oldest)

    # Restoring ---------------------------------------------------------------

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        total = sum(len(entry.content) for entry in entries)
        return RestoreReport(self.count_tables(entries), total, elapsed_ns // 10**6)


def _is_in_a_table(entry: Entry) -> bool:
    parts = entry.name.split("/")
    return parts[0] == "tables" and (len(parts) > 2 or (len(parts) == 2 and entry.is_folder))
