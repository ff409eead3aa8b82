"""Mutants in time and order: ties, clocks that go back, sorting as text."""

from __future__ import annotations

from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import SUFFIX, Archive, BackupInfo, ReedError


class OldestFirst(Conforming):
    """List begins with the oldest backup."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        return super().list_backups(base_path)[::-1]


class ListsAsText(Conforming):
    """List sorts ids as text, so that 999999999 comes before 1000000000."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        return sorted(super().list_backups(base_path), key=lambda i: i.id, reverse=True)


class ListsByFileTime(Conforming):
    """List goes by the archives' mtimes."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        backups = Path(base_path) / "backups"
        return sorted(
            super().list_backups(base_path),
            key=lambda info: (backups / f"{info.id}{SUFFIX}").stat().st_mtime_ns,
            reverse=True,
        )


class NewestLast(Conforming):
    """List is in order but for the newest, which comes at the end."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        return infos[1:] + infos[:1]


class TiesOldestFirst(Conforming):
    """Of one second, list shows the earliest first."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        return sorted(infos, key=lambda info: (-info.timestamp, len(info.id), info.id))


class TiesAsText(Conforming):
    """Of one second, the tenth backup sorts before the second."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        return sorted(infos, key=lambda info: (info.timestamp, info.id), reverse=True)


class SecondOverwrites(Conforming):
    """The second backup of a second takes the first one's name (D4)."""

    breaks = "create/same-second"

    def free_name(self, base: Path, seconds: int) -> Path:
        return base / "backups" / f"{seconds}-1{SUFFIX}"


class SecondIsTheFirst(Conforming):
    """Where a second has a backup, create returns that one and makes none."""

    breaks = "create/same-second"

    def store(self, base: Path, seconds: int) -> Archive:
        for archive in self.archives(base):
            if archive.timestamp == seconds:
                return archive
        return super().store(base, seconds)


class SecondIsRefused(Conforming):
    """A second backup within a second is an error."""

    breaks = "create/same-second"

    def store(self, base: Path, seconds: int) -> Archive:
        if any(archive.timestamp == seconds for archive in self.archives(base)):
            raise ReedError("IoError", "the archive exists already")
        return super().store(base, seconds)


class TwoASecond(Conforming):
    """The third backup of a second takes the second one's name."""

    breaks = "create/same-second"

    def free_name(self, base: Path, seconds: int) -> Path:
        path = base / "backups" / f"{seconds}-1{SUFFIX}"
        return path.with_name(f"{seconds}-2{SUFFIX}") if path.exists() else path


class CreateForbidsThePast(Conforming):
    """After the clock went back, create is an error."""

    breaks = "create/clock-backwards"

    def store(self, base: Path, seconds: int) -> Archive:
        newest = next(iter(self.archives(base)), None)
        if newest is not None and seconds < newest.timestamp:
            raise ReedError("IoError", "the clock went back")
        return super().store(base, seconds)


class TimeOnlyRises(Conforming):
    """After the clock went back, a backup gets the newest one's time."""

    breaks = "create/clock-backwards"

    def store(self, base: Path, seconds: int) -> Archive:
        newest = next(iter(self.archives(base)), None)
        return super().store(base, max(seconds, newest.timestamp if newest else 0))


class PrunesWhatItMade(Conforming):
    """A backup older than 32 others is pruned by the call that made it."""

    breaks = "create/clock-backwards"

    def prune(self, base: Path, made: Archive) -> None:
        for archive in self.archives(base)[32:]:
            archive.path.unlink()

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.require_tables(base)
            made = self.store(base, self.seconds(now_ns))
            info = self.info_of(made)
            self.prune(base, made)
        return info
