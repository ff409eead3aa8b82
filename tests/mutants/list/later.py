"""Mutants that a first call does not show: what is remembered, left out or put off later on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mutants.conforming import KEEP, Conforming
from mutants.model import SUFFIX, Archive, BackupInfo, Entry


class OnlyWhatChanged(Conforming):
    """Once there is a backup, later archives hold no indices/, which can be built from tables/."""

    breaks = "create/content"

    def source(self, base: Path) -> Iterator[Entry]:
        is_first = not self.archives(base)
        return (e for e in super().source(base) if is_first or e.name.startswith("tables"))


class LooksTheSame(Conforming):
    """A file of the size and mtime that it had is not read again."""

    breaks = "create/content"

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], bytes] = {}

    def entry(self, path: Path, name: str) -> Entry:
        entry, status = super().entry(path, name), path.stat()
        if entry.is_folder:
            return entry
        content = self._known.setdefault((path, status.st_size, status.st_mtime_ns), entry.content)
        return entry._replace(content=content)


class CompactsLater(Conforming):
    """The second backup deletes the oldest delta, which the first one holds."""

    breaks = "create/source-untouched"

    def prune(self, base: Path, made: Archive) -> None:
        if len(self.archives(base)) > 1:
            for delta in sorted((base / "tables").rglob("*.bsdiff"))[:1]:
                delta.unlink()
        super().prune(base, made)


class CountsLiveTables(Conforming):
    """table_count of every backup is the number of tables that there are now."""

    breaks = "create/info"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        info, tables = super().info_of(archive), archive.path.parents[1] / "tables"
        if info is None or not tables.is_dir():
            return info
        return info._replace(table_count=sum(path.is_dir() for path in tables.iterdir()))


class SizeOfTheNewest(Conforming):
    """List gives every backup the size of the newest."""

    breaks = "create/info"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        return [info._replace(size_bytes=infos[0].size_bytes) for info in infos]


class TimesOfTheFiles(Conforming):
    """List takes timestamps from the archives' mtimes, which create sets."""

    breaks = "create/info"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        made = super().create_backup(base_path, now_ns)
        if made and made.timestamp < 2**33:
            os.utime(self._archive(base_path, made), (made.timestamp, made.timestamp))
        return made

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        return [
            info._replace(timestamp=int(self._archive(base_path, info).stat().st_mtime))
            for info in super().list_backups(base_path)
        ]

    def _archive(self, base_path: str, info: BackupInfo) -> Path:
        return Path(base_path) / "backups" / f"{info.id}{SUFFIX}"


class TheNextFreeSecond(Conforming):
    """The second backup of a second gets the time of the next one."""

    breaks = "create/info"

    def store(self, base: Path, seconds: int) -> Archive:
        others = {archive.timestamp for archive in self.archives(base)}
        while seconds in others:
            seconds += 1
        return super().store(base, seconds)


class NumbersByCount(Conforming):
    """A second's backups are numbered by how many there are, be it a number that is taken."""

    breaks = "create/same-second"

    def free_name(self, base: Path, seconds: int) -> Path:
        others = sum(archive.timestamp == seconds for archive in self.archives(base))
        return base / "backups" / f"{seconds}-{others + 1}{SUFFIX}"


class NumbersGoDown(Conforming):
    """A second's later backup sorts before its earlier one, for list and restore alike."""

    breaks = "create/same-second"

    def free_name(self, base: Path, seconds: int) -> Path:
        numbers = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        return base / "backups" / f"{seconds}-{min(numbers, default=1000) - 1}{SUFFIX}"


class SmallStepsBack(Conforming):
    """Where the clock went back by less than a minute, the newest backup's time is taken."""

    breaks = "create/clock-backwards"

    def store(self, base: Path, seconds: int) -> Archive:
        newest = next(iter(self.archives(base)), None)
        if newest is not None and seconds < newest.timestamp <= seconds + 60:
            seconds = newest.timestamp
        return super().store(base, seconds)


class ListRemembers(Conforming):
    """List answers what it answered before, until this process makes another backup."""

    breaks = "list/order"

    def __init__(self) -> None:
        self._listed: dict[str, list[BackupInfo]] = {}

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        self._listed.pop(base_path, None)
        return super().create_backup(base_path, now_ns)

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        if base_path not in self._listed:
            self._listed[base_path] = super().list_backups(base_path)
        return self._listed[base_path]


class ListPrunes(Conforming):
    """List deletes what is more than 32."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        for archive in self.archives(Path(base_path))[KEEP:]:
            archive.path.unlink()
        return super().list_backups(base_path)


class FirstFailureIsListed(Conforming):
    """A create that fails where there is no backup yet leaves one of what it had."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        is_first = not (base / "backups").exists()
        try:
            return super().store(base, seconds)
        except BaseException:
            if is_first:
                (base / "backups").mkdir(exist_ok=True)
                empty = self.compress(self.pack([Entry("tables", True, 0o755, 0, b"")]))
                self.free_name(base, seconds).write_bytes(empty)
            raise


class PrunesOneAtATime(Conforming):
    """However many are too many, one goes."""

    breaks = "create/retention"

    def prune(self, base: Path, made: Archive) -> None:
        others = [a for a in self.archives(base) if a != made and self.info_of(a)]
        for archive in others[KEEP - 1 :][-1:]:
            archive.path.unlink()


class CountsUnreadableOnly(Conforming):
    """Unreadable files count as backups, though they are not deleted."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        for archive in [a for a in self.archives(base) if a != made][KEEP - 1 :]:
            if self.info_of(archive):
                archive.path.unlink()


class LastCreated(Conforming):
    """Of the backups at or before the target, the one created last is taken, whatever its time."""

    breaks = "restore/pick"

    def __init__(self) -> None:
        self._made: list[str] = []

    def store(self, base: Path, seconds: int) -> Archive:
        made = super().store(base, seconds)
        self._made.append(made.id)
        return made

    def pick(self, archives: list[Archive], target: int) -> Archive:
        early = [a for a in archives if a.timestamp <= target and a.id in self._made]
        return max(early, key=self._order) if early else super().pick(archives, target)

    def _order(self, archive: Archive) -> int:
        return self._made.index(archive.id)
