"""Mutants in who can read an archive: others too, or others for a while."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Archive

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Open(Conforming):
    """Makes archives with the mode `mode` of the base, less nothing."""

    breaks = "create/private"

    def mode(self, base: Path) -> int:
        raise NotImplementedError

    def write_archive(self, partial: Path, content: bytes) -> None:
        super().write_archive(partial, content)
        partial.chmod(0o600 | self.mode(partial.parent.parent))


class ArchivesByTheUmask(Conforming):
    """An archive has the mode that the umask gives, and so has backups/."""

    breaks = "create/private"

    def make_backups(self, backups: Path) -> None:
        backups.mkdir(exist_ok=True)

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        partial.write_bytes(content)


class BackupsByTheUmask(Conforming):
    """Archives are private, but backups/ has the mode that the umask gives."""

    breaks = "create/private"

    def make_backups(self, backups: Path) -> None:
        backups.mkdir(exist_ok=True)


class BackupsForAll(Conforming):
    """backups/ can be searched and read by everybody."""

    breaks = "create/private"

    def make_backups(self, backups: Path) -> None:
        if not backups.exists():
            backups.mkdir()
            backups.chmod(0o755)


class ClosesAfterwards(Conforming):
    """The temporary file is open to others until it has its name."""

    breaks = "create/private"

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        partial.write_bytes(content)
        partial.chmod(0o600)


class ClosesWhenItHasItsName(Conforming):
    """The archive is open to others for a moment under its name."""

    breaks = "create/private"

    def store(self, base: Path, seconds: int) -> Archive:
        made = super().store(base, seconds)
        made.path.chmod(0o600)
        return made

    def write_archive(self, partial: Path, content: bytes) -> None:
        super().write_archive(partial, content)
        partial.chmod(0o644)


class PacksInTheOpen(Conforming):
    """The tar, not compressed yet, is beside the archive for a while, open to others."""

    breaks = "create/private"

    def write_archive(self, partial: Path, content: bytes) -> None:
        tar = partial.with_name("database.tar")
        remove(tar)
        tar.write_bytes(content)
        super().write_archive(partial, content)
        tar.unlink()


class GroupsMayRead(_Open):
    """An archive is 0640, whatever the database gives the group."""

    def mode(self, base: Path) -> int:
        return 0o040


class ModeOfTables(_Open):
    """An archive gives what the folder tables/ gives."""

    def mode(self, base: Path) -> int:
        return stat.S_IMODE((base / "tables").stat().st_mode) & 0o066


class _Common(_Open):
    """An archive gives what everything gives that `looks_at` finds."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        raise NotImplementedError

    def mode(self, base: Path) -> int:
        common = 0o066
        for path in self.looks_at(base / "tables"):
            common &= path.lstat().st_mode
        return common


class FilesOnly(_Common):
    """Private folders do not count, only files."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return (path for path in tables.rglob("*") if path.is_file())


class FoldersOnly(_Common):
    """Private files do not count, only folders."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return (path for path in [tables, *tables.rglob("*")] if path.is_dir())


class TwoDeep(_Common):
    """What is deeper than a table's own files does not count."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return [tables, *tables.glob("*"), *tables.glob("*/*")]


class CurrentOnly(_Common):
    """Of a table only current.csv counts."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return [tables, *tables.glob("*"), *tables.glob("*/current.csv")]


class NoDotfilesCount(_Common):
    """What begins with a dot does not count."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return [tables, *(p for p in tables.rglob("*") if not p.name.startswith("."))]


class TablesOnly(_Common):
    """Files beside the tables do not count."""

    def looks_at(self, tables: Path) -> Iterable[Path]:
        return [tables, *(p for p in tables.rglob("*") if p.is_dir() or p.parent != tables)]


class AnyGives(_Open):
    """An archive gives what anything in tables/ gives."""

    def mode(self, base: Path) -> int:
        bits = 0
        for path in (base / "tables").rglob("*"):
            bits |= path.lstat().st_mode & 0o066
        return bits


class MostGive(_Open):
    """An archive gives what more than half of the files give."""

    def mode(self, base: Path) -> int:
        modes = [path.lstat().st_mode for path in (base / "tables").rglob("*")]
        return 0o044 if sum(bool(mode & 0o004) for mode in modes) * 2 > len(modes) else 0


class AsTheOneBefore(_Open):
    """A later archive has the mode of the newest one that is there."""

    def mode(self, base: Path) -> int:
        others = self.archives(base)
        if others:
            return stat.S_IMODE(others[0].path.stat().st_mode) & _OTHERS
        return 0o044 if all(p.stat().st_mode & 4 for p in (base / "tables").rglob("*")) else 0


class AsBackups(_Open):
    """An archive gives what backups/ gives."""

    def mode(self, base: Path) -> int:
        return stat.S_IMODE((base / "backups").stat().st_mode) & 0o066


class SetsAnUmask(Conforming):
    """The umask of the call is 022, and nothing else is done about modes."""

    breaks = "create/private"

    def write_archive(self, partial: Path, content: bytes) -> None:
        before = os.umask(0o022)
        try:
            remove(partial)
            partial.write_bytes(content)
        finally:
            os.umask(before)
