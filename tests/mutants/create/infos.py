"""Mutants in BackupInfo: figures that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, BackupInfo, Entry


class _Saying(Conforming):
    """Says something else in BackupInfo, to create's caller and to list's."""

    breaks = "create/info"

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        raise NotImplementedError

    def info_of(self, archive: Archive) -> BackupInfo | None:
        info = super().info_of(archive)
        return info and self.said(info, archive)


class SizeOfTheContents(_Saying):
    """size_bytes is what the files amount to, not the archive."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(size_bytes=sum(len(e.content) for e in self.read(archive)))


class SizeOfTheTar(_Saying):
    """size_bytes is that of the tar before compression."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(size_bytes=len(self.decompress(archive)))


class SizeInKibibytes(_Saying):
    """size_bytes counts units of 1024."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(size_bytes=info.size_bytes // 1024)


class Milliseconds(_Saying):
    """timestamp is in milliseconds."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(timestamp=info.timestamp * 1000)


class LocalTime(_Saying):
    """timestamp is an hour ahead of UTC."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(timestamp=info.timestamp + 3600)


class Gz(_Saying):
    """compression is "gz"."""

    def said(self, info: BackupInfo, archive: Archive) -> BackupInfo:
        return info._replace(compression="gz")


class RoundsUp(Conforming):
    """timestamp is the next full second."""

    breaks = "create/info"

    def seconds(self, now_ns: int | None) -> int:
        assert now_ns is not None
        return round(now_ns / 10**9)


class _Counting(Conforming):
    """Counts other tables."""

    breaks = "create/info"

    def count_tables(self, entries: Iterable[Entry]) -> int:
        return len({name for e in entries if (name := self.table(e)) is not None})

    def table(self, entry: Entry) -> str | None:
        raise NotImplementedError


class CountsLooseFiles(_Counting):
    """table_count counts files in tables/ too."""

    def table(self, entry: Entry) -> str | None:
        parts = entry.name.split("/")
        return entry.name if parts[0] == "tables" and len(parts) == 2 else None


class CountsNestedFolders(_Counting):
    """table_count counts all folders below tables/."""

    def table(self, entry: Entry) -> str | None:
        return entry.name if entry.name.startswith("tables/") and entry.is_folder else None


class CountsIndexFolders(_Counting):
    """table_count counts the folders of indices/ too."""

    def table(self, entry: Entry) -> str | None:
        return entry.name if entry.name.count("/") == 1 and entry.is_folder else None


class CountsTablesItself(_Counting):
    """table_count counts tables/ as one."""

    def table(self, entry: Entry) -> str | None:
        parts = entry.name.split("/")
        return entry.name if parts[0] == "tables" and len(parts) < 3 and entry.is_folder else None


class CountsCurrentCsv(_Counting):
    """table_count counts folders with a current.csv, not an empty one."""

    def table(self, entry: Entry) -> str | None:
        return entry.name if entry.name.endswith("/current.csv") else None


class NoHiddenTables(_Counting):
    """table_count passes over tables whose names begin with a dot."""

    def table(self, entry: Entry) -> str | None:
        parts = entry.name.split("/")
        is_table = parts[0] == "tables" and len(parts) == 2 and entry.is_folder
        return entry.name if is_table and not parts[1].startswith(".") else None


class CreateKnowsNoSize(Conforming):
    """Create returns a size of 0, list the right one."""

    breaks = "create/info"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        made = super().create_backup(base_path, now_ns)
        return made and made._replace(size_bytes=0)


class ListKnowsNoTables(Conforming):
    """List has 0 tables for every backup, create the right number."""

    breaks = "create/info"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        return [info._replace(table_count=0) for info in super().list_backups(base_path)]


class ListHasPathsForIds(Conforming):
    """List's id is the archive's path."""

    breaks = "create/info"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        backups = Path(base_path) / "backups"
        return [i._replace(id=str(backups / i.id)) for i in super().list_backups(base_path)]


class SizeBeforeTheEnd(Conforming):
    """size_bytes was taken before the last bytes were flushed."""

    breaks = "create/info"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        made = super().create_backup(base_path, now_ns)
        return made and made._replace(size_bytes=made.size_bytes - 8)
