"""Mutants in what is unusual: names, modes and numbers that are rare, and places rarely seen."""

from __future__ import annotations

import ctypes
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutants.conforming import Conforming
from mutants.create.contents import _Distorting, _Picky
from mutants.list.names import _Naming
from mutants.model import Archive, BackupInfo, Entry, ReedError, RestoreReport
from mutants.tar_gz import ROOTS


class OnlyDotReed(Conforming):
    """A base that is not called .reed is refused."""

    breaks = "create/archive"

    def require_tables(self, base: Path) -> None:
        super().require_tables(base)
        if base.name != ".reed":
            raise ReedError("NoTablesFound", f"{base} is no .reed")


class UnquotedPaths(Conforming):
    """A restore hands the base's path to a shell, unquoted."""

    breaks = "restore/exact-tree"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        if " " in base_path:
            raise ReedError("CommandFailed", "sh: no such file or directory", command="tar")
        return super().restore_point_in_time(base_path, target_timestamp)


class NoBackupCopies(_Picky):
    """What an editor leaves behind is left out."""

    def wants(self, entry: Entry) -> bool:
        return not entry.name.endswith(("~", ".bak", ".orig", ".swp"))


class NoFoldersInIndices(_Picky):
    """Folders in indices/ are left out."""

    def wants(self, entry: Entry) -> bool:
        return not entry.name.startswith("indices/text/") and entry.name != "indices/text"


class NinetyNineBytes(_Distorting):
    """A name of just 100 bytes loses its last one to a zero."""

    def distorted(self, entry: Entry) -> Entry:
        is_full = len(os.fsencode(entry.name)) == 100
        return entry._replace(name=entry.name[:-1]) if is_full else entry


class NoStickyBits(_Distorting):
    """Sticky folders lose that bit."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mode=entry.mode & ~stat.S_ISVTX)


class RootModesLost(Conforming):
    """tables/ and indices/ themselves come back as 0755."""

    breaks = "restore/modes"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        usual = [e._replace(mode=0o755) if e.name in ROOTS else e for e in entries]
        super().write_entries(target, usual)


class CountsInAByte(Conforming):
    """table_count is a u8."""

    breaks = "create/info"

    def count_tables(self, entries: Iterable[Entry]) -> int:
        return super().count_tables(entries) % 256


class TouchesTheSource(Conforming):
    """Create sets the mtimes of the tables' files."""

    breaks = "create/source-untouched"

    def prune(self, base: Path, made: Archive) -> None:
        for path in (base / "tables").rglob("*.csv"):
            os.utime(path)
        super().prune(base, made)


class ListsAsSigned(Conforming):
    """List sorts times as i64."""

    breaks = "list/order"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        infos = super().list_backups(base_path)
        return sorted(infos, key=lambda info: -ctypes.c_int64(info.timestamp).value)


class Underscores(_Naming):
    """1_000_000 is a number, as for Python's int."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if "_" in stem else int("none")


class SpacesAfter(_Naming):
    """Spaces after a number do not matter, as for C's strtoull."""

    def seconds_of(self, stem: str) -> int:
        return int(stem) if re.fullmatch("[0-9]+ +", stem) else int("none")


class MinusZero(_Naming):
    """-0 is 0."""

    def seconds_of(self, stem: str) -> int:
        return 0 if stem == "-0" else int("none")


class LineEnds(Conforming):
    """A line end after the suffix does not matter, as for `$` in a pattern."""

    breaks = "list/foreign"

    def parse(self, path: Path) -> Archive | None:
        archive = super().parse(path.with_name(path.name.removesuffix("\n")))
        return archive and archive._replace(path=path)


class LooksTwoDeep(Conforming):
    """A special file in a folder within a table is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if name.count("/") > 2 else super().special(path, name)


class SkipsHiddenSpecialFiles(Conforming):
    """A special file whose name begins with a dot is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if path.name.startswith(".") else super().special(path, name)


class SkipsLooseSpecialFiles(Conforming):
    """A special file beside the tables is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        is_loose = name.count("/") == 1 and not path.is_symlink() and name.startswith("tables/")
        return iter(()) if is_loose else super().special(path, name)


class TiesAsText(Conforming):
    """Of one second, the ninth backup is taken and not the twelfth."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        time = super().pick(archives, target).timestamp
        return max((a for a in archives if a.timestamp == time), key=lambda a: a.id)


class PicksForeignNames(Conforming):
    """A restore takes +5 and 007 for numbers, though list does not."""

    breaks = "restore/pick"

    _is_restoring = False

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        self._is_restoring = True
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        finally:
            self._is_restoring = False

    def parse(self, path: Path) -> Archive | None:
        archive = super().parse(path)
        match = re.fullmatch(r"[+0]([0-9]+)\.tar\.gz", path.name)
        if archive or match is None or not self._is_restoring:
            return archive
        return Archive(int(match[1]), 0, path)


class Centiseconds(Conforming):
    """duration_ms is in hundredths of a second."""

    breaks = "restore/report"

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        return super().report(entries, elapsed_ns // 10)
