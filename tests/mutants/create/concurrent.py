"""Mutants that it takes several processes at once to catch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.conforming import KEEP, Conforming
from mutants.in_place import remove
from mutants.model import Archive, BackupInfo, Entry, ReedError, RestoreReport, io_errors
from mutants.tar_gz import ROOTS


class LocksNothing(Conforming):
    """The base is not locked."""

    breaks = "create/concurrent"

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with io_errors("backup"):
            yield


class LocksItsThreads(LocksNothing):
    """The lock is one of this process, of which others know nothing."""

    _lock = threading.Lock()

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with self._lock, super().locked(base):
            yield


class _OwnNames(LocksNothing):
    """Temporary files have names of their own for each process."""

    def store(self, base: Path, seconds: int) -> Archive:
        self.make_backups(base / "backups")
        partial = base / "backups" / f"unfinished-{os.getpid()}"
        self.write_archive(partial, self.compress(self.pack(self.source(base))))
        return self.named(base, seconds, partial)

    def named(self, base: Path, seconds: int, partial: Path) -> Archive:
        made = self.parse(partial.rename(self.free_name(base, seconds)))
        assert made is not None
        return made


class TakesTheSameName(_OwnNames):
    """Two creates may take one name, and the later one overwrites."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        path = self.free_name(base, self.seconds(now_ns))
        with Conforming.locked(self, base):
            self.finish_swap(base)
            self.require_tables(base)
            self.make_backups(base / "backups")
            partial = base / "backups" / f"unfinished-{os.getpid()}"
            self.write_archive(partial, self.compress(self.pack(self.source(base))))
        made = self.parse(partial.rename(path))
        assert made is not None
        with Conforming.locked(self, base):
            self.prune(base, made)
            return self.info_of(made)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        with Conforming.locked(self, Path(base_path)):
            return super().restore_point_in_time(base_path, target_timestamp)


class ReadsBesideRestores(_OwnNames):
    """Creates lock only while they name the archive, so that they see a restore's swap midway."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.require_tables(base)
            made = self.store(base, self.seconds(now_ns))
            return self.info_of(made)

    def named(self, base: Path, seconds: int, partial: Path) -> Archive:
        with Conforming.locked(self, base):
            made = super().named(base, seconds, partial)
            self.prune(base, made)
            return made

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        with Conforming.locked(self, Path(base_path)):
            return super().restore_point_in_time(base_path, target_timestamp)


class RestoresUnlocked(Conforming):
    """Creates lock the base, restores do not, and swap tables one after the other."""

    breaks = "create/concurrent"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        base = Path(base_path)
        try:
            entries = self.read(self.pick(self.archives(base), target_timestamp))
            self.install(base, entries)
        except OSError as error:
            raise ReedError("IoError", str(error), operation="restore", reason="busy") from error
        return self.report(entries, 0)

    def install(self, base: Path, entries: list[Entry]) -> None:
        staging, trash = base / f".staging-{os.getpid()}", base / f".trash-{os.getpid()}"
        for folder in (staging, trash):
            remove(folder)
        trash.mkdir()
        self.write_entries(staging, entries)
        for root in ROOTS:
            for number, old in enumerate(list((base / root).iterdir())):
                old.rename(trash / f"{root}-{number}")
            for new in list((staging / root).iterdir()):
                new.rename(base / root / new.name)
        for folder in (staging, trash):
            remove(folder)


class NamesBeforeItWrites(Conforming):
    """An archive grows under its own name, and a list shows it while it does."""

    breaks = "create/concurrent"

    def store(self, base: Path, seconds: int) -> Archive:
        content = self.compress(self.pack(self.source(base)))
        self.make_backups(base / "backups")
        path = self.free_name(base, seconds)
        with path.open("xb", buffering=0) as file:
            file.write(content[: len(content) // 2])
            time.sleep(0.02)
            file.write(content[len(content) // 2 :])
        path.chmod(0o600)
        made = self.parse(path)
        assert made is not None
        return made

    def info_of(self, archive: Archive) -> BackupInfo | None:
        info = super().info_of(archive)
        if info is None and archive.path.exists() and archive.path.stat().st_size > 100:
            return archive.described(5)
        return info


class ListFailsBesidePruning(Conforming):
    """A list is an error where a backup is pruned while it looks."""

    breaks = "create/concurrent"

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        archives = self.archives(Path(base_path))
        infos = [info for archive in archives if (info := self.info_of(archive))]
        if any(not archive.path.exists() for archive in archives):
            raise ReedError("IoError", "a backup vanished", operation="stat", reason="vanished")
        return infos


class PrunesWhatItDoesNotKnow(Conforming):
    """A process deletes backups that came up since its last call, when there are many."""

    breaks = "create/concurrent"

    def __init__(self) -> None:
        self._known: dict[Path, set[str]] = {}

    def prune(self, base: Path, made: Archive) -> None:
        ids = self._known.setdefault(base, {archive.id for archive in self.archives(base)})
        ids.add(made.id)
        others = [a for a in self.archives(base) if a != made and self.info_of(a)]
        others.sort(key=lambda archive: archive.id not in ids)
        for archive in others[KEEP - 1 :]:
            archive.path.unlink()


class CannotBeBusy(Conforming):
    """Where another process works on the base, there are no tables."""

    breaks = "create/concurrent"

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        busy = base / ".busy"
        try:
            busy.touch(exist_ok=False)
        except FileExistsError:
            raise ReedError("NoTablesFound", "No tables found") from None
        except OSError as error:
            raise ReedError("IoError", str(error), operation="backup", reason="lock") from error
        try:
            with super().locked(base):
                yield
        finally:
            with suppress(FileNotFoundError):
                busy.unlink()


class ReportsWhatOthersMade(Conforming):
    """What a create returns is the newest backup, whoever made it."""

    breaks = "create/concurrent"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        made = super().create_backup(base_path, now_ns)
        time.sleep(0.02)
        with self.locked(Path(base_path)):
            newest = self.list_backups(base_path)
        return newest[0] if made else None
