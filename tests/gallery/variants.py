"""Honest implementations that do it differently: each must pass everything.

The contract leaves them free in what they change, so a case that fails one of
them is a false alarm.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gallery.honest import Honest
from gallery.model import (
    SUFFIX,
    Archive,
    BackupInfo,
    Entry,
    ReedError,
    RestoreReport,
    corrupted,
)
from gallery.tar_gz import ROOTS, Members


class Pax(Honest):
    """A pax archive with mtimes to the nanosecond as far as a float goes, at level 9."""

    def header(self, entry: Entry) -> bytes:
        member = tarfile.TarInfo(entry.name)
        member.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
        member.mode, member.mtime, member.size = entry.mode, entry.mtime, len(entry.content)
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 9)


class HexadecimalIds(Honest):
    """Ids are hexadecimal with a letter in front: b00000000674b1a2c-0001."""

    own = re.compile(r"b([0-9a-f]{16})-([0-9a-f]{4})\.tar\.gz", re.ASCII)

    def parse(self, path: Path) -> Archive | None:
        if match := self.own.fullmatch(path.name):
            return Archive(int(match[1], 16), int(match[2], 16), path)
        found = super().parse(path)
        return found if found and not found.sequence else None

    def free_name(self, base: Path, seconds: int) -> Path:
        taken = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        number = max(taken, default=0) + 1
        return base / "backups" / f"b{seconds:016x}-{number:04x}{SUFFIX}"


class SecondsAsIds(Honest):
    """The first backup of a second is 1700000000, as an archive of others would be."""

    def free_name(self, base: Path, seconds: int) -> Path:
        taken = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        suffix = f"-{max(taken) + 1}" if taken else ""
        return base / "backups" / f"{seconds}{suffix}{SUFFIX}"


class OwnMembers(Honest):
    """A manifest of digests is a member of its own, and is verified."""

    manifest = ".gallery/manifest.json"

    def pack(self, entries: Iterable[Entry]) -> bytes:
        entries = list(entries)
        text = json.dumps({entry.name: _digest(entry) for entry in entries})
        return super().pack([*entries, Entry(self.manifest, False, 0o600, 0, text.encode())])

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        entries = super().admitted(archive, members)
        found = {entry.name: _digest(entry) for entry in entries}
        for member, content in members:
            if member.name == self.manifest and json.loads(content) != found:
                raise corrupted(archive, "it is not what its manifest says")
        return entries


class NamedGzip(Honest):
    """The gzip header holds a file name and a time, as that of the gzip program does."""

    def compress(self, tar: bytes) -> bytes:
        file = io.BytesIO()
        with gzip.GzipFile("database.tar", "wb", 6, file) as compressed:
            compressed.write(tar)
        return file.getvalue()


class DotSlash(Honest):
    """Members are named ./tables/…"""

    def header(self, entry: Entry) -> bytes:
        return super().header(entry._replace(name=f"./{entry.name}"))


class WholeRecords(Honest):
    """The tar ends with zeros up to a record of 10,240 bytes."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        tar = super().pack(entries)
        return tar + bytes(-len(tar) % 10_240)


class NoRoots(Honest):
    """tables/ and indices/ have no members of their own, unless nothing else says what they are."""

    usual_mode = 0o755

    def source(self, base: Path) -> Iterator[Entry]:
        entries = list(super().source(base))
        implied = {entry.name.split("/")[0] for entry in entries if "/" in entry.name}
        return (e for e in entries if e.name not in implied or e.mode != self.usual_mode)


class NoClock(Honest):
    """Time cannot be set from outside."""

    capabilities = ()

    def create_backup(self, base_path: str) -> BackupInfo | None:  # type: ignore[override]
        return super().create_backup(base_path)


class WaitsForTheNextSecond(NoClock):
    """A second has one backup; who wants another waits."""

    def store(self, base: Path, seconds: int) -> Archive:
        while any(archive.timestamp == seconds for archive in self.archives(base)):
            time.sleep(0.02)
            seconds = self.seconds(None)
        return super().store(base, seconds)


class Catalogue(Honest):
    """What list shows is kept in backups/catalogue.json, for archives that did not change."""

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        infos = {archive.id: self.info_of(archive) for archive in self.archives(base)}
        (base / "backups" / "catalogue.json").write_text(json.dumps(infos))

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        base, infos = Path(base_path), []
        try:
            known = json.loads((base / "backups" / "catalogue.json").read_text())
        except OSError:
            known = {}
        for archive in self.archives(base):
            noted = known.get(archive.id)
            if noted and noted[2] == archive.path.stat().st_size:
                infos.append(BackupInfo(*noted))
            elif (info := self.info_of(archive)) is not None:
                infos.append(info)
        return infos


class LockInBackups(Honest):
    """backups/.lock is made by the first create and stays."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backups" / ".lock"
            if not lock.exists():
                yield
                return
            with lock.open("ab") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield

    def prune(self, base: Path, made: Archive) -> None:
        (base / "backups" / ".lock").touch()
        super().prune(base, made)


class LockInTheBase(Honest):
    """A file in the base is the lock, for as long as a call lasts."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backup.pid"
            # One that a killed process left is taken over: flock says that nobody has it.
            lock.write_text(str(os.getpid()))
            try:
                yield
            finally:
                lock.unlink()


class StagesInBackups(Honest):
    """Archives are written to a folder of their own in backups/, which stays."""

    def store(self, base: Path, seconds: int) -> Archive:
        entries = list(self.source(base))
        staging = base / "backups" / ".staging"
        staging.mkdir(parents=True, exist_ok=True)
        (staging / "archive").write_bytes(self.compress(self.pack(entries)))
        made = self.parse((staging / "archive").rename(self.free_name(base, seconds)))
        assert made is not None
        return made


class NoTimes(Honest):
    """Restored files have the time of the restore."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        now = time.time()
        super().write_entries(target, [entry._replace(mtime=now) for entry in entries])


class RoundsUp(Honest):
    """A restore of 0.1 ms took 1 ms."""

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        return super().report(entries, elapsed_ns + 999_999)


class OtherWords(Honest):
    """Errors have other fields and words, and hostile archives are IoErrors."""

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        oldest = f"Some({archives[-1].timestamp})" if archives else "None"
        return ReedError("BackupNotFound", "nichts", requested={"at": target}, earliest=oldest)

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        try:
            return super().admitted(archive, members)
        except ReedError as error:
            if error.kind == "BackupUnsafe":
                raise ReedError("IoError", "unpack", operation="unpack", reason="odd") from error
            raise

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError as error:
            raise ReedError("BackupCorrupted", "kaputt", id=archive.id) from error

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        raise ReedError("IoError", f"cannot read {path}", operation="walk", reason="odd")


class HardLinksStay(Honest):
    """A file with two names is one member and one link, and one file again after a restore."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for root in ROOTS:
                if (self._base / root).is_dir():
                    tar.add(self._base / root, root)
        return packed.getvalue()

    def source(self, base: Path) -> Iterator[Entry]:
        self._base = base
        return super().source(base)

    def store(self, base: Path, seconds: int) -> Archive:
        list(self.source(base))  # refuses what tarfile would take
        return super().store(base, seconds)

    def write_file(self, path: Path, entry: Entry) -> None:
        target = path.parents[entry.name.count("/")]
        twin = self._written.get(id(entry.content))
        if twin is not None and len(entry.content) > 1:
            os.link(target / twin, path)
        else:
            super().write_file(path, entry)
            self._written[id(entry.content)] = entry.name

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        self._written: dict[int, str] = {}
        super().write_entries(target, entries)

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        once = {(id(e.content), len(e.content) > 1 or e.name): len(e.content) for e in entries}
        return super().report(entries, elapsed_ns)._replace(total_bytes=sum(once.values()))


class CallsTar(Honest):
    """The programs tar and gzip do the work, as in a shell script."""

    def store(self, base: Path, seconds: int) -> Archive:
        list(self.source(base))
        return super().store(base, seconds)

    def source(self, base: Path) -> Iterator[Entry]:
        self._base = base
        return super().source(base)

    def pack(self, entries: Iterable[Entry]) -> bytes:
        roots = [root for root in ROOTS if (self._base / root).is_dir()]
        return subprocess.run(
            ["tar", "cf", "-", "-C", str(self._base), *roots], capture_output=True, check=True
        ).stdout

    def compress(self, tar: bytes) -> bytes:
        return subprocess.run(["gzip", "-c"], input=tar, capture_output=True, check=True).stdout

    def decompress(self, archive: Archive) -> bytes:
        tested = subprocess.run(
            ["gzip", "-dc", str(archive.path)], capture_output=True, check=False
        )
        if tested.returncode or tested.stderr:
            raise corrupted(archive, tested.stderr.decode("utf-8", "replace"))
        return tested.stdout

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        """tar unpacks what was admitted, read again from a file of its own."""
        target.mkdir()
        with tempfile.NamedTemporaryFile() as packed:
            packed.write(Honest.pack(self, entries))
            packed.flush()
            subprocess.run(["tar", "xpf", packed.name, "-C", str(target)], check=True)


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.content).hexdigest()
