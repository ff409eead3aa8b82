"""Other files in the base: what is kept beside the archives, and how archives are written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.conforming import PARTIAL, Conforming
from mutants.in_place import is_folder, remove
from mutants.model import Archive, BackupInfo, ReedError


class Catalogue(Conforming):
    """What list shows is kept in backups/catalogue.json, for archives that did not change."""

    def prune(self, base: Path, made: Archive) -> None:
        catalogue = base / "backups" / "catalogue.json"
        remove(catalogue)  # if the new one cannot be written, there is none
        super().prune(base, made)
        with suppress(OSError):
            infos = {archive.id: self.info_of(archive) for archive in self.archives(base)}
            self.write_archive(catalogue.with_name("next.json"), json.dumps(infos).encode())
            catalogue.with_name("next.json").rename(catalogue)

    def tidy(self, backups: Path) -> None:
        super().tidy(backups)
        remove(backups / "next.json")

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        base, infos = Path(base_path), []
        try:
            known = json.loads(read_regular(base / "backups" / "catalogue.json"))
        except (OSError, ValueError):
            known = {}
        for archive in self.archives(base):
            entry = known.get(archive.id)
            if entry and archive.path.exists() and entry[2] == archive.path.stat().st_size:
                infos.append(BackupInfo(*entry))
            elif (info := self.info_of(archive)) is not None:
                infos.append(info)
        return infos


class StagesInBackups(Conforming):
    """Archives are written to a folder of their own in backups/, which stays."""

    def store(self, base: Path, seconds: int) -> Archive:
        entries = list(self.source(base))
        staging = base / "backups" / ".staging"
        self.make_backups(staging.parent)
        if not is_folder(staging):
            remove(staging)
            staging.mkdir(0o700)
        self.sync(base)
        self.write_archive(staging / "archive", self.compress(self.pack(entries)))
        path = self.free_name(base, seconds)
        self.publish(staging / "archive", path)
        made = self.parse(path)
        assert made is not None
        return made


class SharesAsTheTables(Conforming):
    """Archives and backups/ give others what all of tables/ gives, and no less."""

    def given(self, base: Path, others: int) -> int:
        for path in [base / "tables", *(base / "tables").rglob("*")]:
            others &= path.lstat().st_mode
        return others

    def make_backups(self, backups: Path) -> None:
        if not backups.exists():
            readable = self.given(backups.parent, 0o044)
            backups.mkdir(0o700)
            backups.chmod(0o700 | readable | readable >> 2)

    def write_archive(self, partial: Path, content: bytes) -> None:
        super().write_archive(partial, content)
        partial.chmod(0o600 | self.given(partial.parent.parent, 0o066))


class UmaskOf077(Conforming):
    """A umask of 077 for the call is all that keeps archives private."""

    def make_backups(self, backups: Path) -> None:
        with _umask_of_077():
            backups.mkdir(exist_ok=True)

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        with _umask_of_077():
            partial.write_bytes(content)


@contextmanager
def _umask_of_077() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


class ThroughAPrivateFolder(Conforming):
    """The temporary file has any mode, in a folder that is closed to others."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        private = Path(tempfile.mkdtemp(prefix=_OWN, dir=partial.parent))
        try:
            (private / "archive").write_bytes(content)
            (private / "archive").chmod(0o600)
            (private / "archive").rename(partial)
        finally:
            with suppress(OSError):
                remove(private)

    def tidy(self, backups: Path) -> None:
        super().tidy(backups)
        _remove_own(backups)


class RandomNames(Conforming):
    """Temporary files have names that nobody can foresee."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        descriptor, own = tempfile.mkstemp(prefix=_OWN, dir=partial.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            Path(own).rename(partial)
        except BaseException:
            with suppress(OSError):
                os.unlink(own)
            raise

    def tidy(self, backups: Path) -> None:
        super().tidy(backups)
        _remove_own(backups)


class RefusesWhatIsInTheWay(Conforming):
    """Where something has the name of a temporary file, a call is an error."""

    def tidy(self, backups: Path) -> None:
        partial = backups / PARTIAL
        if os.path.lexists(partial) and not (partial.is_file() and not partial.is_symlink()):
            raise ReedError("IoError", f"{partial} exists", operation="open", reason="exists")
        super().tidy(backups)

    def finish_swap(self, base: Path) -> None:
        if os.path.lexists(base / ".staging") and not is_folder(base / ".staging"):
            raise ReedError("IoError", ".staging exists", operation="mkdir", reason="exists")
        super().finish_swap(base)


_OWN = f"{PARTIAL}-"


def _remove_own(backups: Path) -> None:
    if backups.is_dir():
        for child in list(backups.iterdir()):
            if child.name.startswith(_OWN):
                remove(child)


def read_regular(path: Path) -> bytes:
    """What a file of our own holds; others may have put a FIFO or a symlink in its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        return file.read()
