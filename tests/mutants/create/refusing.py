"""Mutants in create's errors: wrong ones, missing ones, and ones that leave something."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mutants.conforming import KEEP, Conforming
from mutants.model import Archive, BackupInfo, Entry, ReedError


class MakesTheBase(Conforming):
    """A mistyped base is made, with an empty database (D6)."""

    breaks = "create/no-base"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        if not os.path.lexists(base_path):
            (Path(base_path) / "tables").mkdir(parents=True)
        return super().create_backup(base_path, now_ns)


class MakesTheParents(Conforming):
    """A mistyped base is refused, but its parents are made on the way."""

    breaks = "create/no-base"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        Path(base_path).parent.mkdir(parents=True, exist_ok=True)
        return super().create_backup(base_path, now_ns)


class NoBaseIsSuccess(Conforming):
    """A base that is no folder gives a backup of nothing."""

    breaks = "create/no-base"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        if not Path(base_path).is_dir():
            return BackupInfo("0-1", 0, 0, 0, "gzip")
        return super().create_backup(base_path, now_ns)


class NoBaseIsAnyError(Conforming):
    """A missing base is BackupNotFound."""

    breaks = "create/no-base"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        if not Path(base_path).is_dir():
            raise ReedError("BackupNotFound", base_path)
        return super().create_backup(base_path, now_ns)


class NoTablesIsSuccess(Conforming):
    """Without tables/ there is a backup of 0 tables."""

    breaks = "create/no-tables"

    def require_tables(self, base: Path) -> None:
        pass

    def info_of(self, archive: Archive) -> BackupInfo | None:
        return super().info_of(archive) or archive.described(0)


class NoTablesIsIoError(Conforming):
    """Without tables/ the error is IoError."""

    breaks = "create/no-tables"

    def require_tables(self, base: Path) -> None:
        os.listdir(base / "tables")


class MakesBackupsFirst(Conforming):
    """backups/ is made before it is known that there is something to back up."""

    breaks = "create/no-tables"

    def require_tables(self, base: Path) -> None:
        (base / "backups").mkdir(exist_ok=True)
        super().require_tables(base)


class MakesTables(Conforming):
    """Without tables/ an empty one is made."""

    breaks = "create/no-tables"

    def require_tables(self, base: Path) -> None:
        (base / "tables").mkdir(exist_ok=True)


class NeedsATable(Conforming):
    """An empty tables/ is NoTablesFound."""

    breaks = "create/no-tables"

    def require_tables(self, base: Path) -> None:
        super().require_tables(base)
        if not any((base / "tables").iterdir()):
            raise ReedError("NoTablesFound", "No tables found")


class MakesLocks(Conforming):
    """Create leaves a .lock in a table that had none."""

    breaks = "create/source-untouched"

    def source(self, base: Path) -> Iterator[Entry]:
        entries = list(super().source(base))
        for entry in entries:
            if entry.is_folder and entry.name.count("/") == 1:
                (base / entry.name / ".lock").touch()
        return iter(entries)


class WritesToTheRegistry(Conforming):
    """Create notes itself in registry/."""

    breaks = "create/source-untouched"

    def prune(self, base: Path, made: Archive) -> None:
        with (base / "registry" / "backups.log").open("a") as log:
            log.write(f"{made.id}\n")
        super().prune(base, made)


class TidiesTheSource(Conforming):
    """Create deletes temporary files of writers, once they are archived."""

    breaks = "create/source-untouched"

    def prune(self, base: Path, made: Archive) -> None:
        for path in (base / "tables").rglob("*.tmp"):
            path.unlink()
        super().prune(base, made)


class OpensUpTheSource(Conforming):
    """Create makes files readable to all so as to read them."""

    breaks = "create/source-untouched"

    def entry(self, path: Path, name: str) -> Entry:
        entry = super().entry(path, name)
        path.chmod(entry.mode | 0o044)
        return entry


class LeavesPartialFiles(Conforming):
    """A failed create leaves what it wrote so far, under a name of its own."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        (base / "backups").mkdir(exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=base / "backups", suffix=".partial")
        os.close(descriptor)
        made = super().store(base, seconds)
        os.unlink(partial)
        return made


class LeavesPartialFilesInTheBase(Conforming):
    """A failed create leaves a temporary folder in the base."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        scratch = tempfile.mkdtemp(dir=base)
        made = super().store(base, seconds)
        os.rmdir(scratch)
        return made


class ListsItsFailures(Conforming):
    """A failed create leaves an archive of what it had read by then (D2)."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        try:
            return super().store(base, seconds)
        except ReedError:
            read = [self.entry(p, str(p.relative_to(base))) for p in base.rglob("*.csv")]
            (base / "backups").mkdir(exist_ok=True)
            self.free_name(base, seconds).write_bytes(self.compress(self.pack(read)))
            raise


class FailureTakesAll(Conforming):
    """A failed create removes backups/ to be tidy."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        try:
            return super().store(base, seconds)
        except ReedError:
            shutil.rmtree(base / "backups", ignore_errors=True)
            raise


class PrunesFirst(Conforming):
    """Room is made before it is known that there will be a new backup."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        for archive in [a for a in self.archives(base) if self.info_of(a)][KEEP - 1 :]:
            archive.path.unlink()
        return super().store(base, seconds)


class BackupsInTheWay(Conforming):
    """A file in the place of backups/ is replaced by the folder."""

    breaks = "create/failure-leaves-nothing"

    def store(self, base: Path, seconds: int) -> Archive:
        if (base / "backups").is_file():
            (base / "backups").unlink()
        return super().store(base, seconds)
