"""Mutants in what a create does when a system call fails: it swallows, leaves, hangs or dies."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.conforming import KEEP, PARTIAL, Conforming
from mutants.in_place import is_there
from mutants.locking import KeepsLocks
from mutants.model import Archive, BackupInfo, Entry, ReedError


class _Failing(Conforming):
    """Does something wrong where a system call of a create fails."""

    breaks = "create/failing-call"


# Swallowed --------------------------------------------------------------------


class SwallowsReads(_Failing):
    """A file that cannot be read is archived as an empty one."""

    at = r"^read#\d+ EIO .*tables/"

    def entry(self, path: Path, name: str) -> Entry:
        try:
            return super().entry(path, name)
        except OSError:
            return Entry(name, False, 0o644, 0, b"")


class SkipsWhatItCannotOpen(_Failing):
    """A file that cannot be opened is left out."""

    at = r"^openat#\d+ EACCES .*current"

    def walk(self, path: Path, name: str) -> Iterator[Entry]:
        return (entry for entry in super().walk(path, name) if entry.mode >= 0)

    def entry(self, path: Path, name: str) -> Entry:
        try:
            return super().entry(path, name)
        except OSError:
            return Entry(name, False, -1, 0, b"")


class SwallowsFailedListings(_Failing):
    """A folder that cannot be listed is archived as an empty one."""

    at = r"^getdents64#\d+ EIO .*tables/"

    def walk(self, path: Path, name: str) -> Iterator[Entry]:
        with suppress(OSError):
            yield from super().walk(path, name)


class SwallowsWrites(_Failing):
    """What could not be written is missing at the archive's end."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        with suppress(OSError):
            super().write_archive(partial, content)
            return
        partial.touch(0o600)

    def info_of(self, archive: Archive) -> BackupInfo | None:
        return super().info_of(archive) or archive.described(2)


class SwallowsSyncs(_Failing):
    """A sync that fails is passed over."""

    at = r"^fsync#\d+ EIO .*unfinished"

    def sync(self, path: Path) -> None:
        with suppress(OSError):
            super().sync(path)


class SwallowsRenames(_Failing):
    """An archive that cannot be renamed is reported all the same."""

    at = r"^rename#\d+ EIO"

    def publish(self, partial: Path, path: Path) -> None:
        try:
            super().publish(partial, path)
        except OSError:
            self._lost = partial.stat().st_size

    def info_of(self, archive: Archive) -> BackupInfo | None:
        if not is_there(archive.path) and self._lost:
            return BackupInfo(archive.id, archive.timestamp, self._lost, 2, "gzip")
        return super().info_of(archive)

    _lost = 0


class ReadsHalfAnArchive(_Failing):
    """Whether other archives are readable is not asked where one cannot be read: it is deleted."""

    def info_of(self, archive: Archive) -> BackupInfo | None:
        try:
            return super().info_of(archive)
        except OSError:
            archive.path.unlink()
            return None


# Left -------------------------------------------------------------------------


class LeavesWhatItPublished(_Failing):
    """An error after the archive has its name leaves it there."""

    def take_back(self, path: Path) -> None:
        pass


class PublishesLater(_Failing):
    """What could not get its name gets it from the next call, though an error was answered."""

    at = r"^fsync#\d+ EIO .*backups$"

    def store(self, base: Path, seconds: int) -> Archive:
        partial = base / "backups" / PARTIAL
        self.make_backups(partial.parent)
        self.write_archive(partial, self.compress(self.pack(self.source(base))))
        path = self.free_name(base, seconds)
        self.publish(partial, path)
        made = self.parse(path)
        assert made is not None
        return made

    def tidy(self, backups: Path) -> None:
        partial = backups / PARTIAL
        if partial.is_file() and not partial.is_symlink():
            with suppress(ReedError):
                self.read(Archive(0, 0, partial))
                partial.rename(self.free_name(backups.parent, self.seconds(None)))
        super().tidy(backups)

    def take_back(self, path: Path) -> None:
        path.rename(path.with_name(PARTIAL))


class LeavesPartialFiles(_Failing):
    """A temporary file under a name of its own stays after an error."""

    at = r"^(write|rename)#\d+ (EIO|ENOSPC) .*partial-"

    def write_archive(self, partial: Path, content: bytes) -> None:
        descriptor, own = tempfile.mkstemp(prefix="partial-", dir=partial.parent)
        with open(descriptor, "wb") as file:
            file.write(content)
        Path(own).rename(partial)

    def tidy(self, backups: Path) -> None:
        super().tidy(backups)
        if backups.is_dir():
            for own in backups.glob("partial-*.old"):
                own.unlink()


class IsBlockedByItsDebris(_Failing):
    """A temporary file stays after an error, and what is there is not written over."""

    def tidy(self, backups: Path) -> None:
        pass

    def store(self, base: Path, seconds: int) -> Archive:
        partial = base / "backups" / PARTIAL
        self.make_backups(partial.parent)
        if is_there(partial):
            raise ReedError("IoError", "exists", operation="open", reason="exists")
        self.write_archive(partial, self.compress(self.pack(self.source(base))))
        path = self.free_name(base, seconds)
        self.sync(partial)
        partial.rename(path)
        made = self.parse(path)
        assert made is not None
        return made


class PrunesThoughItFails(_Failing):
    """The oldest backup is gone when the last step fails and the new one is taken back."""

    at = r"^fsync#\d+ EIO"

    def prune(self, base: Path, made: Archive) -> None:
        others = [a for a in self.archives(base) if a != made and self.info_of(a)]
        for archive in others[KEEP - 1 :]:
            archive.path.unlink()
        self.sync(base / "backups")


class KeepsTheLock(KeepsLocks, _Failing):
    """The base stays locked after an error, for as long as the process lives."""


# Hung, dead, nameless ---------------------------------------------------------


class TriesForEver(_Failing):
    """A sync that fails is tried again until it succeeds."""

    def sync(self, path: Path) -> None:
        while True:
            with suppress(OSError):
                return super().sync(path)
            time.sleep(0.01)


class Dies(_Failing):
    """The process ends where a file cannot be written."""

    at = r"^write#\d+ ENOSPC"

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            os._exit(1)


class LetsErrorsThrough(_Failing):
    """The error is the system's, of no kind that is documented."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        try:
            with super().locked(base):
                yield
        except ReedError as error:
            if isinstance(error.__cause__, OSError):
                raise error.__cause__ from None
            raise


class AnswersNothing(_Failing):
    """After an error there is no backup to speak of, and no error either."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        try:
            return super().create_backup(base_path, now_ns)
        except ReedError as error:
            if error.kind == "IoError" and isinstance(error.__cause__, OSError):
                return self.list_backups(base_path)[0]
            raise
