"""What durable implementations have in common: names, lists, picks and reports."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from mutants.in_place import is_folder
from mutants.locking import Locking
from mutants.model import SUFFIX, Archive, BackupInfo, Entry, ReedError, RestoreReport
from mutants.mounts import has_mounts, refuse_read_only
from mutants.syncing import settle, settle_folder, sync
from reedbase_backup.types import U64_MAX

KEEP = 32

_FOREIGN = re.compile(r"(0|[1-9][0-9]*)\.tar\.gz", re.ASCII)


class Plain(Locking):
    """All of contract `ticket` but for what writes."""

    capabilities = ("clock",)
    own: re.Pattern[str]
    """The name of an archive: its seconds, and its number among those of one second."""

    def name(self, seconds: int, number: int) -> str:
        raise NotImplementedError

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = [self.info_of(archive) for archive in self.archives(Path(base_path))]
        return [info for info in infos if info is not None]

    def parse(self, path: Path) -> Archive | None:
        if match := self.own.fullmatch(path.name):
            seconds, number = self.numbers(match)
        elif match := _FOREIGN.fullmatch(path.name):
            seconds, number = int(match[1]), 0
        return Archive(seconds, number, path) if match and seconds <= U64_MAX else None

    def numbers(self, match: re.Match[str]) -> tuple[int, int]:
        return int(match[1]), int(match[2])

    def archives(self, base: Path) -> list[Archive]:
        """What is under an archive's name, readable or not, newest first."""
        try:
            with os.scandir(base / "backups") as entries:
                paths = [Path(e.path) for e in entries if e.is_file(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((a for path in paths if (a := self.parse(path))), reverse=True)

    def next_archive(self, base: Path, now_ns: int | None) -> Archive:
        seconds = (time.time_ns() if now_ns is None else now_ns) // 10**9
        numbers = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        number = max(numbers, default=0) + 1
        path = base / "backups" / f"{self.name(seconds, number)}{SUFFIX}"
        return Archive(seconds, number, path)

    def info_of(self, archive: Archive) -> BackupInfo | None:
        try:
            return archive.described(count_tables(self.read(archive)))
        except (ReedError, FileNotFoundError):
            return None  # damaged, or pruned while we looked

    def surplus(self, base: Path) -> list[Archive]:
        """The backups that are to go when there is a new one."""
        return [a for a in self.archives(base) if self.info_of(a)][KEEP - 1 :]

    def picked(self, base: Path, target: int) -> list[Entry]:
        """What is to be restored, where it can be."""
        refuse_read_only(base)
        archives = self.archives(base)
        for archive in archives:
            if archive.timestamp <= target:
                return self.read(archive)
        oldest = archives[-1].timestamp if archives else None
        raise ReedError("BackupNotFound", "no backup that old", target=target, oldest=oldest)

    def require_tables(self, base: Path) -> None:
        if not (base / "tables").is_dir():
            raise ReedError("NoTablesFound", "No tables found")


def count_tables(entries: list[Entry]) -> int:
    parts = [entry.name.split("/") for entry in entries if entry.is_folder or "/" in entry.name]
    deep = {p[1] for p in parts if p[0] == "tables" and len(p) > 2}
    flat = {e.name.split("/")[1] for e in entries if e.is_folder and e.name.count("/") == 1}
    named = {e.name for e in entries if e.is_folder}
    return len(deep | {name for name in flat if f"tables/{name}" in named})


def reported(entries: list[Entry], started_ns: int) -> RestoreReport:
    total = sum(len(entry.content) for entry in entries)
    return RestoreReport(count_tables(entries), total, (time.monotonic_ns() - started_ns) // 10**6)


def write_tree(target: Path, entries: list[Entry]) -> None:
    """Writes a backup's files and folders into a new folder, all for good but its own name."""
    target.mkdir(0o700)
    fill_tree(target, entries)


def fill_tree(target: Path, entries: list[Entry]) -> None:
    """Writes them into a folder that is there."""
    folders = {entry.name: entry for entry in entries if entry.is_folder}
    implied = {str(p) for entry in entries for p in Path(entry.name).parents} - {"."}
    for name in sorted(folders.keys() | implied):
        make_folder(target / name)
    for entry in entries:
        if not entry.is_folder:
            write_file(target / entry.name, entry)
    for name in sorted(folders.keys() | implied, reverse=True):
        if name in folders:
            times = (folders[name].mtime, folders[name].mtime)
            settle_folder(target / name, folders[name].mode, times)
        else:
            sync(target / name)
    sync(target)


def make_folder(path: Path) -> None:
    """Makes a folder that may be there only for what is mounted: others may put one there, too."""
    try:
        path.mkdir()
    except FileExistsError:
        if not is_folder(path) or not has_mounts(path):
            raise


def write_file(path: Path, entry: Entry) -> None:
    with path.open("xb") as file:
        file.write(entry.content)
        file.flush()
        settle(file.fileno(), entry.mode, (entry.mtime, entry.mtime))
