"""Conforming implementations that do it differently: each must pass everything.

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
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import (
    SUFFIX,
    Archive,
    BackupInfo,
    Entry,
    ReedError,
    RestoreReport,
    corrupted,
    unsafe,
)
from mutants.swapping import is_folder, remove
from mutants.tar_gz import ROOTS, Members


class Pax(Conforming):
    """A pax archive with mtimes to the nanosecond as far as a float goes, at level 9."""

    def header(self, entry: Entry) -> bytes:
        member = tarfile.TarInfo(entry.name)
        member.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
        member.mode, member.mtime, member.size = entry.mode, entry.mtime, len(entry.content)
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 9)


class HexadecimalIds(Conforming):
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


class SecondsAsIds(Conforming):
    """The first backup of a second is 1700000000, as an archive of others would be."""

    def free_name(self, base: Path, seconds: int) -> Path:
        taken = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        suffix = f"-{max(taken) + 1}" if taken else ""
        return base / "backups" / f"{seconds}{suffix}{SUFFIX}"


class OwnMembers(Conforming):
    """A manifest of digests is a member of its own, and is verified."""

    manifest = ".mutants/manifest.json"

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


class NamedGzip(Conforming):
    """The gzip header holds a file name and a time, as that of the gzip program does."""

    def compress(self, tar: bytes) -> bytes:
        file = io.BytesIO()
        with gzip.GzipFile("database.tar", "wb", 6, file) as compressed:
            compressed.write(tar)
        return file.getvalue()


class DotSlash(Conforming):
    """Members are named ./tables/…"""

    def header(self, entry: Entry) -> bytes:
        return super().header(entry._replace(name=f"./{entry.name}"))


class WholeRecords(Conforming):
    """The tar ends with zeros up to a record of 10,240 bytes."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        tar = super().pack(entries)
        return tar + bytes(-len(tar) % 10_240)


class NoRoots(Conforming):
    """tables/ and indices/ have no members of their own, unless nothing else says that they are."""

    def source(self, base: Path) -> Iterator[Entry]:
        entries = list(super().source(base))
        implied = {entry.name.split("/")[0] for entry in entries if "/" in entry.name}
        return (entry for entry in entries if entry.name not in implied)


class NoClock(Conforming):
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


class Catalogue(Conforming):
    """What list shows is kept in backups/catalogue.json, for archives that did not change."""

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        infos = {archive.id: self.info_of(archive) for archive in self.archives(base)}
        self.write_archive(base / "backups" / "next.json", json.dumps(infos).encode())
        (base / "backups" / "next.json").rename(base / "backups" / "catalogue.json")

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        base, infos = Path(base_path), []
        try:
            known = json.loads(read_regular(base / "backups" / "catalogue.json"))
        except (OSError, ValueError):
            known = {}
        for archive in self.archives(base):
            noted = known.get(archive.id)
            if noted and archive.path.exists() and noted[2] == archive.path.stat().st_size:
                infos.append(BackupInfo(*noted))
            elif (info := self.info_of(archive)) is not None:
                infos.append(info)
        return infos


class LockInBackups(Conforming):
    """backups/.lock is made by the first create and stays."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backups" / ".lock"
            if not lock.exists():
                yield
                return
            held = os.open(lock, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield
            finally:
                os.close(held)

    def prune(self, base: Path, made: Archive) -> None:
        if not os.path.lexists(base / "backups" / ".lock"):
            self.write_archive(base / "backups" / ".lock", b"")
        super().prune(base, made)


class LocksTables(Conforming):
    """Every table's .lock is opened as for writing, which sets its mtime."""

    def source(self, base: Path) -> Iterator[Entry]:
        for lock in (base / "tables").glob("*/.lock"):
            if lock.is_file() and not lock.is_symlink():
                lock.open("wb").close()
        return super().source(base)


class UuidIds(Conforming):
    """Ids are {secs}_{uuid}, and of one second the later mtime is the newer."""

    own = re.compile(r"(0|[1-9][0-9]*)_([0-9a-f]{32})\.tar\.gz", re.ASCII)

    def parse(self, path: Path) -> Archive | None:
        match = self.own.fullmatch(path.name)
        if match is None:
            found = super().parse(path)
            return found if found and not found.sequence else None
        return Archive(int(match[1]), path.stat().st_mtime_ns, path)

    def free_name(self, base: Path, seconds: int) -> Path:
        others = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        now_ns = max(time.time_ns(), max(others, default=0) + 1000)
        os.utime(base / "backups" / "unfinished", ns=(now_ns, now_ns))
        return base / "backups" / f"{seconds}_{uuid.uuid4().hex}{SUFFIX}"


class RefusesStrangers(Conforming):
    """An archive with links, or with members beside tables/ and indices/, is refused."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        for member, _ in members:
            top = member.name.removeprefix("./").split("/")[0]
            if member.islnk() or top not in ROOTS:
                raise unsafe(member.name, "is none of ours")
        return super().admitted(archive, members)


class LockInTheBase(Conforming):
    """A file in the base is the lock, for as long as a call lasts."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with super().locked(base):
            lock = base / "backup.pid"
            # One that a killed process left is taken over: flock says that nobody has it.
            self.write_archive(lock, str(os.getpid()).encode())
            try:
                yield
            finally:
                lock.unlink()


class StagesInBackups(Conforming):
    """Archives are written to a folder of their own in backups/, which stays."""

    def store(self, base: Path, seconds: int) -> Archive:
        entries = list(self.source(base))
        staging = base / "backups" / ".staging"
        self.make_backups(staging.parent)
        if not is_folder(staging):
            remove(staging)
            staging.mkdir(0o700)
        self.write_archive(staging / "archive", self.compress(self.pack(entries)))
        made = self.parse((staging / "archive").rename(self.free_name(base, seconds)))
        assert made is not None
        return made


class NoTimes(Conforming):
    """Restored files have the time of the restore."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        now = time.time()
        super().write_entries(target, [entry._replace(mtime=now) for entry in entries])


class NineBitFiles(Conforming):
    """Files come back without set-id and sticky bits, folders with them."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        files = [e if e.is_folder else e._replace(mode=e.mode & 0o777) for e in entries]
        super().write_entries(target, files)


class NineBitArchives(Conforming):
    """Files are archived without set-id and sticky bits, so that they come back without."""

    def header(self, entry: Entry) -> bytes:
        kept = entry.mode if entry.is_folder else entry.mode & 0o777
        return super().header(entry._replace(mode=kept))


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
        with tempfile.TemporaryDirectory(dir=partial.parent) as private:
            (Path(private) / "archive").write_bytes(content)
            (Path(private) / "archive").chmod(0o600)
            (Path(private) / "archive").rename(partial)


class RandomNames(Conforming):
    """Temporary files have names that nobody can foresee."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        descriptor, own = tempfile.mkstemp(dir=partial.parent)
        with open(descriptor, "wb") as file:
            file.write(content)
        Path(own).rename(partial)


class RefusesWhatIsInTheWay(Conforming):
    """Where something has the name of a temporary file, a call is an error."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        if os.path.lexists(partial):
            raise ReedError("IoError", f"{partial} exists", operation="open", reason="exists")
        super().write_archive(partial, content)

    def install(self, base: Path, entries: list[Entry]) -> None:
        if os.path.lexists(base / ".staging") and not is_folder(base / ".staging"):
            raise ReedError("IoError", ".staging exists", operation="mkdir", reason="exists")
        super().install(base, entries)


class NeverRenames(Conforming):
    """Trees are always written anew where they are, under a journal."""

    def has_mounts_below(self, live: Path) -> bool:
        return True


class WaitsForNobody(Conforming):
    """Where another process works on the base, a call is a LockTimeout at once."""

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        if base.is_dir():
            descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ReedError("LockTimeout", "busy", table="", timeout_secs=0) from None
            finally:
                os.close(descriptor)
        with super().locked(base):
            yield


class LocksAsAWriter(Conforming):
    """Tables are locked exclusively, and waited for in long steps."""

    def take(self, lock: int, table: Path) -> None:
        deadline = time.monotonic() + self.table_timeout_secs
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
        raise self.lock_timeout(table)


class RoundsUp(Conforming):
    """A restore of 0.1 ms took 1 ms."""

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        return super().report(entries, elapsed_ns + 999_999)


class OtherWords(Conforming):
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


class HardLinksStay(Conforming):
    """A file with two names is one member and one link, and one file again after a restore."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        packed = io.BytesIO()
        with (
            self.all_tables_locked(self._base),
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
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


class CallsTar(Conforming):
    """The programs tar and gzip do the work, as in a shell script."""

    def store(self, base: Path, seconds: int) -> Archive:
        list(self.source(base))
        return super().store(base, seconds)

    def source(self, base: Path) -> Iterator[Entry]:
        self._base = base
        return super().source(base)

    def pack(self, entries: Iterable[Entry]) -> bytes:
        roots = [root for root in ROOTS if (self._base / root).is_dir()]
        with self.all_tables_locked(self._base):
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
            packed.write(Conforming.pack(self, entries))
            packed.flush()
            subprocess.run(["tar", "xpf", packed.name, "-C", str(target)], check=True)


def read_regular(path: Path) -> bytes:
    """What a file of our own holds; others may have put a FIFO or a symlink in its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        return file.read()


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.content).hexdigest()


class _Orderly(Conforming):
    """Refuses a member before which `folders` has no folder for it."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        entries = super().admitted(archive, members)
        folders = self.folders(entries)
        for number, entry in enumerate(entries):
            above = entry.name.rpartition("/")[0]
            if above and folders.get(above, number) >= number:
                raise corrupted(archive, f"{entry.name} comes before its folder")
        return entries

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        return {entry.name: number for number, entry in enumerate(entries) if entry.is_folder}


class FoldersFirst(_Orderly):
    """A folder must come before what is in it, if it comes at all."""

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        implied = {entry.name.rpartition("/")[0]: -1 for entry in entries}
        return implied | super().folders(entries)


class EveryFolder(_Orderly):
    """A folder that has no member of its own is a damage."""

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        return dict.fromkeys(super().folders(entries), -1)
