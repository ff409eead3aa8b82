"""Mutants that it takes a power cut or a kill in the midst of a create to catch."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mutants.conforming import KEEP, PARTIAL, Conforming
from mutants.in_place import is_there, remove
from mutants.model import Archive, BackupInfo, ReedError
from mutants.syncing import sync


class NamesBeforeItSyncs(Conforming):
    """The archive has its name before its content is on the disk."""

    breaks = "create/power-cut"

    def publish(self, partial: Path, path: Path) -> None:
        partial.rename(path)
        self.sync(path)
        self.sync(path.parent)


class WritesUnderItsName(Conforming):
    """The archive is written under its own name, and synced when it is whole."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def write_archive(self, partial: Path, content: bytes) -> None:
        pass

    def publish(self, partial: Path, path: Path) -> None:
        super().write_archive(path, self.compress(self.pack(self.source(path.parent.parent))))
        self.sync(path)
        self.sync(path.parent)


class PrunesBeforeItSyncs(Conforming):
    """The oldest backup is deleted before the new one is on the disk."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/pruning"

    def publish(self, partial: Path, path: Path) -> None:
        partial.rename(path)

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        self.sync(made.path)
        self.sync(base / "backups")


class PrunesBeforeItPublishes(Conforming):
    """The oldest backup is deleted when the new one is written, before it has its name."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def publish(self, partial: Path, path: Path) -> None:
        others = [a for a in self.archives(path.parent.parent) if self.info_of(a)]
        for archive in others[KEEP - 1 :]:
            archive.path.unlink()
        super().publish(partial, path)


class RecyclesTheOldest(Conforming):
    """The file of the backup that is to go is written over with the new one."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def write_archive(self, partial: Path, content: bytes) -> None:
        others = [a for a in self.archives(partial.parents[1]) if self.info_of(a)]
        if others[KEEP - 1 :]:
            others[-1].path.rename(partial)
            partial.write_bytes(content)
            partial.chmod(0o600)
        else:
            super().write_archive(partial, content)


class WorksInACopyOfBackups(Conforming):
    """backups/ has another name while something is done to it."""

    breaks = "create/power-cut"

    def publish(self, partial: Path, path: Path) -> None:
        backups = partial.parent
        aside = backups.rename(backups.with_name("backups.new"))
        sync(aside / partial.name)
        (aside / partial.name).rename(aside / path.name)
        sync(aside)
        aside.rename(backups)
        sync(backups.parent)


class LeavesRandomNames(Conforming):
    """A temporary file has a random name, and who is killed leaves it for ever."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def write_archive(self, partial: Path, content: bytes) -> None:
        descriptor, own = tempfile.mkstemp(dir=partial.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            Path(own).rename(partial)
        except BaseException:
            os.unlink(own)
            raise


class LeavesItsTar(Conforming):
    """The tar is in the base for a while, under the process's id, and a killed one's stays."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def compress(self, tar: bytes) -> bytes:
        with tempfile.NamedTemporaryFile(dir=self._base, prefix=f".{os.getpid()}-") as file:
            file.write(tar)
            file.flush()
            return super().compress(tar)

    def store(self, base: Path, seconds: int) -> Archive:
        self._base = base
        return super().store(base, seconds)


class StaleLocks(Conforming):
    """The lock is a file that is there or not, and that of a killed process stays."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backup.lock"
            try:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                raise ReedError("LockTimeout", "busy", table="", timeout_secs=0) from None
            try:
                yield
            finally:
                lock.unlink()


class _WithACatalogue(Conforming):
    """Own archives count where backups/catalogue names them."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def archives(self, base: Path) -> list[Archive]:
        catalogue = base / "backups" / "catalogue"
        if not is_there(catalogue):
            return super().archives(base)
        known = catalogue.read_text().split()
        return [a for a in super().archives(base) if not a.sequence or a.id in known]


class CataloguesInPlace(_WithACatalogue):
    """Which archives there are is in a file of its own, which is written anew where it is."""

    def publish(self, partial: Path, path: Path) -> None:
        base = path.parents[1]
        ids = [archive.id for archive in self.archives(base) if archive.sequence]
        super().publish(partial, path)
        made = self.parse(path)
        assert made is not None
        catalogue = path.with_name("catalogue")
        catalogue.write_text("\n".join([*ids, made.id]))
        self.sync(catalogue)
        self.sync(catalogue.parent)


class _Interrupted(Exception):
    """SIGTERM has come."""


class AnswersAfterSigterm(Conforming):
    """SIGTERM ends the work in its midst, and the answer is the backup that it would have been."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/interrupted"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        try:
            with _on_sigterm(_stop):
                return super().create_backup(base_path, now_ns)
        except _Interrupted:
            seconds = self.seconds(now_ns)
            return BackupInfo(f"{seconds}-1", seconds, 1000, 2, "gzip")


class ExitsWithSuccess(Conforming):
    """SIGTERM ends the process in the midst of its work with status 0."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/interrupted"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        with _on_sigterm(_exit):
            return super().create_backup(base_path, now_ns)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _Interrupted


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(0)


@contextmanager
def _on_sigterm(do: object) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, do)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class FinishesWhatItFinds(Conforming):
    """A temporary file that is there is taken for whole, and gets the name of a backup."""

    breaks = "create/power-cut"
    shown_by = "ticket/create/power-cut/kill"

    def tidy(self, backups: Path) -> None:
        partial = backups / PARTIAL
        if partial.is_file() and not partial.is_symlink():
            partial.rename(self.free_name(backups.parent, self.seconds(None)))
        else:
            remove(partial)
