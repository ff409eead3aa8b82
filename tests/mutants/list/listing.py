"""Mutants in what list shows, and what it does to the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, BackupInfo, ReedError


class ListMakesBackups(Conforming):
    """List makes backups/ where it is missing."""

    breaks = "list/empty"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        if Path(base_path).is_dir():
            (Path(base_path) / "backups").mkdir(exist_ok=True)
        return super().list_backups(base_path)


class ListMakesTheBase(Conforming):
    """List of a mistyped base makes it."""

    breaks = "list/empty"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        Path(base_path).mkdir(parents=True, exist_ok=True)
        return super().list_backups(base_path)


class ListNeedsBackups(Conforming):
    """Without backups/, list is an error."""

    breaks = "list/empty"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        with self.locked(Path(base_path)):
            os.listdir(Path(base_path) / "backups")
        return super().list_backups(base_path)


class ListNeedsTheBase(Conforming):
    """Without a base, list is an error."""

    breaks = "list/empty"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        with self.locked(Path(base_path)):
            return super().list_backups(base_path)


class ListsEverything(Conforming):
    """What cannot be read is listed all the same (D11)."""

    breaks = "list/unreadable"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        return super().info_of(archive) or archive.described(0)


class ListsEmptyFiles(Conforming):
    """An empty file is listed as a backup of no tables."""

    breaks = "list/unreadable"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        if archive.path.stat().st_size == 0:
            return archive.described(0)
        return super().info_of(archive)


class ListsByMagic(Conforming):
    """Two magic bytes make an archive."""

    breaks = "list/unreadable"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        has_magic = archive.path.read_bytes()[:2] == b"\x1f\x8b"
        return super().info_of(archive) or (archive.described(0) if has_magic else None)


class UnreadableFails(Conforming):
    """One unreadable archive makes list an error."""

    breaks = "list/unreadable"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        for archive in self.archives(Path(base_path)):
            self.read(archive)
        return super().list_backups(base_path)


class UnreadableEndsTheList(Conforming):
    """List ends at the first archive that it cannot read."""

    breaks = "list/unreadable"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = []
        for archive in reversed(self.archives(Path(base_path))):
            info = self.info_of(archive)
            if info is None:
                break
            infos.append(info)
        return infos[::-1]


class ListCleansUp(Conforming):
    """List deletes what it cannot read."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        for archive in self.archives(Path(base_path)):
            if self.info_of(archive) is None:
                archive.path.unlink()
        return super().list_backups(base_path)


class ListKeepsACatalogue(Conforming):
    """List writes down what it found."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        if infos:
            (Path(base_path) / "backups" / "catalogue.txt").write_text(repr(infos))
        return infos


class ListOpensForWriting(Conforming):
    """List opens archives as if it were to write to them."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        for archive in self.archives(Path(base_path)):
            try:
                archive.path.open("r+b").close()
            except OSError as error:
                raise ReedError("IoError", str(error)) from error
        return super().list_backups(base_path)


class ListTouches(Conforming):
    """List sets the archives' mtimes to their backups' times."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        for archive in self.archives(Path(base_path)):
            seconds = min(archive.timestamp, 2**33)  # more than some file systems can hold
            os.utime(archive.path, (seconds, seconds))
        return super().list_backups(base_path)


class ListUnpacksInPlace(Conforming):
    """List unpacks archives in the base to count their tables, and tidies up."""

    breaks = "list/read-only"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        if infos:
            scratch = Path(base_path) / "scratch"
            scratch.mkdir()
            shutil.rmtree(scratch)
        return infos
