"""Other ids, and other ways to keep backups of one second apart."""

from __future__ import annotations

import os
import re
import time
import uuid
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import (
    SUFFIX,
    Archive,
    BackupInfo,
)


class HexadecimalIds(Conforming):
    """Ids are hexadecimal with a letter in front: b00000000674b1a2c-0001."""

    own = re.compile(r"b([0-9a-f]{16})-([0-9a-f]{4})\.tar\.gz", re.ASCII)

    def parse(self, path: Path) -> Archive | None:
        if match := self.own.fullmatch(path.name):
            return Archive(int(match[1], 16), int(match[2], 16), path)
        archive = super().parse(path)
        return archive if archive and not archive.sequence else None

    def free_name(self, base: Path, seconds: int) -> Path:
        numbers = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        number = max(numbers, default=0) + 1
        return base / "backups" / f"b{seconds:016x}-{number:04x}{SUFFIX}"


class SecondsAsIds(Conforming):
    """The first backup of a second is 1700000000, as an archive of others would be."""

    def free_name(self, base: Path, seconds: int) -> Path:
        numbers = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        suffix = f"-{max(numbers) + 1}" if numbers else ""
        return base / "backups" / f"{seconds}{suffix}{SUFFIX}"


class NoClock(Conforming):
    """Time cannot be set from outside."""

    capabilities = ()

    def create_backup(self, base_path: str) -> BackupInfo | None:  # type: ignore[override]
        return super().create_backup(base_path)


class WaitsForTheNextSecond(NoClock):
    """A second has one backup; who wants another waits."""

    def store(self, base: Path, seconds: int) -> Archive:
        while any(archive.timestamp == seconds for archive in self.archives(base)):
            time.sleep(0.02)
            seconds = self.seconds(None)
        return super().store(base, seconds)


class UuidIds(Conforming):
    """Ids are {secs}_{uuid}, and of one second the later mtime is the newer."""

    own = re.compile(r"(0|[1-9][0-9]*)_([0-9a-f]{32})\.tar\.gz", re.ASCII)

    def parse(self, path: Path) -> Archive | None:
        match = self.own.fullmatch(path.name)
        if match is None:
            archive = super().parse(path)
            return archive if archive and not archive.sequence else None
        return Archive(int(match[1]), path.stat().st_mtime_ns, path)

    def free_name(self, base: Path, seconds: int) -> Path:
        others = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        now_ns = max(time.time_ns(), max(others, default=0) + 1000)
        os.utime(base / "backups" / "unfinished", ns=(now_ns, now_ns))
        return base / "backups" / f"{seconds}_{uuid.uuid4().hex}{SUFFIX}"
