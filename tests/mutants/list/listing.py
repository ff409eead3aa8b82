"""Mutants in what list shows, and what it does to the disk."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import SUFFIX, Archive, BackupInfo, ReedError
from reedbase_backup.types import U64_MAX


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


class _Naming(Conforming):
    """Takes other names for archives' names."""

    breaks = "list/foreign"

    def seconds_of(self, stem: str) -> int:
        """The time that a name says; ValueError where it says none."""
        raise NotImplementedError

    def parse(self, path: Path) -> Archive | None:
        archive = super().parse(path)
        if archive or not path.name.endswith(SUFFIX):
            return archive
        try:
            return Archive(self.seconds_of(path.name.removesuffix(SUFFIX)), 0, path)
        except ValueError:
            return None


class PlusIsANumber(_Naming):
    """+5 is a number, as for Rust's parse."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if re.fullmatch(r"\+[0-9]{1,9}", stem) else int("none")


class ZerosInFront(_Naming):
    """007 is a number."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if re.fullmatch(r"0[0-9]+", stem) else int("none")


class AnyDigits(_Naming):
    """Digits of any script are a number, as for Python's int."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if stem.isdigit() and not stem.isascii() else int("none")


class SpacesAround(_Naming):
    """Spaces around a number do not matter, as for Python's int."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if stem != stem.strip() else int("none")


class Hexadecimal(_Naming):
    """0x5 is a number, as for C's strtoull."""

    def seconds_of(self, stem: str) -> int:
        return int(stem, 16) if stem.startswith("0x") else int("none")


class LeadingDigits(_Naming):
    """What begins with digits is a number, as for C's atoi."""

    def seconds_of(self, stem: str) -> int:
        return int(re.sub(r"[^0-9].*", "", stem))


class Saturates(_Naming):
    """A number of more than 64 bits is taken for the largest."""

    def seconds_of(self, stem: str) -> int:
        return min(int(stem), U64_MAX) if re.fullmatch("[1-9][0-9]{19,}", stem) else int("none")


class EveryTarGz(_Naming):
    """Every tar.gz in backups/ is a backup, of time 0 where its name says none."""

    def seconds_of(self, stem: str) -> int:
        return 0


class PartialFiles(Conforming):
    """What is still being written is listed."""

    breaks = "list/foreign"

    def parse(self, path: Path) -> Archive | None:
        found = super().parse(path.with_name(path.name.removesuffix(".tmp")))
        return found and found._replace(path=path)


class EveryCase(Conforming):
    """The suffix may be in capitals."""

    breaks = "list/foreign"

    def parse(self, path: Path) -> Archive | None:
        found = super().parse(path.with_name(path.name.lower()))
        return found and found._replace(path=path)


class ListsFolders(Conforming):
    """A folder under an archive's name is listed as an empty backup (D11)."""

    breaks = "list/foreign"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        folders = [p for p in (Path(base_path) / "backups").glob("*.tar.gz") if p.is_dir()]
        found = [archive for path in folders if (archive := self.parse(path))]
        return super().list_backups(base_path) + [archive.described(0) for archive in found]


class FollowsLinks(Conforming):
    """A symlink to an archive is listed as one."""

    breaks = "list/foreign"

    def archives(self, base: Path) -> list[Archive]:
        links = [p for p in (base / "backups").glob("*.tar.gz") if p.is_symlink() and p.exists()]
        found = [archive for path in links if (archive := self.parse(path))]
        return sorted(super().archives(base) + found, reverse=True)


class DanglingLinksFail(Conforming):
    """A dangling symlink in backups/ makes list an error."""

    breaks = "list/foreign"

    def archives(self, base: Path) -> list[Archive]:
        for path in (base / "backups").glob("*"):
            path.stat()
        return super().archives(base)


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
