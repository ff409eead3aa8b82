"""Mutants in which names in backups/ are those of archives."""

from __future__ import annotations

import re
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import SUFFIX, Archive, BackupInfo
from reedbase_backup.types import U64_MAX


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
        archive = super().parse(path.with_name(path.name.removesuffix(".tmp")))
        return archive and archive._replace(path=path)


class EveryCase(Conforming):
    """The suffix may be in capitals."""

    breaks = "list/foreign"

    def parse(self, path: Path) -> Archive | None:
        archive = super().parse(path.with_name(path.name.lower()))
        return archive and archive._replace(path=path)


class ListsFolders(Conforming):
    """A folder under an archive's name is listed as an empty backup (D11)."""

    breaks = "list/foreign"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        folders = [p for p in (Path(base_path) / "backups").glob("*.tar.gz") if p.is_dir()]
        archives = [archive for path in folders if (archive := self.parse(path))]
        return super().list_backups(base_path) + [archive.described(0) for archive in archives]


class FollowsLinks(Conforming):
    """A symlink to an archive is listed as one."""

    breaks = "list/foreign"

    def archives(self, base: Path) -> list[Archive]:
        links = [p for p in (base / "backups").glob("*.tar.gz") if p.is_symlink() and p.exists()]
        linked = [archive for path in links if (archive := self.parse(path))]
        return sorted(super().archives(base) + linked, reverse=True)


class DanglingLinksFail(Conforming):
    """A dangling symlink in backups/ makes list an error."""

    breaks = "list/foreign"

    def archives(self, base: Path) -> list[Archive]:
        for path in (base / "backups").glob("*"):
            path.stat()
        return super().archives(base)
