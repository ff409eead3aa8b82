"""An honest implementation of contract `ticket`, with the standard library alone.

It shares nothing with the reference, and is as plain as it can be: archives are
held in memory, and every step is a small method, so that a lie overrides one.
It does not fsync, because no case can cut the power.
"""

from __future__ import annotations

import fcntl
import gzip
import io
import os
import re
import shutil
import stat
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOTS = ("tables", "indices")
KEEP = 32
U64_MAX = 2**64 - 1
SUFFIX = ".tar.gz"

# The first of a second is 5-1.tar.gz; what others made is 5.tar.gz.
NAME = re.compile(r"(0|[1-9][0-9]*)(?:-([1-9][0-9]*))?\.tar\.gz", re.ASCII)


class ReedError(Exception):
    """An error of `kind`, a ReedError variant's name, with its `fields`."""

    def __init__(self, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = fields


class BackupInfo(NamedTuple):
    id: str
    timestamp: int
    size_bytes: int
    table_count: int
    compression: str


class RestoreReport(NamedTuple):
    tables_restored: int
    total_bytes: int
    duration_ms: int


class Archive(NamedTuple):
    """A file in backups/ under an archive's name; they sort from old to new."""

    timestamp: int
    sequence: int
    path: Path

    @property
    def id(self) -> str:
        return self.path.name.removesuffix(SUFFIX)


class Entry(NamedTuple):
    """A file or a folder of a backup."""

    name: str
    is_folder: bool
    mode: int
    mtime: float
    content: bytes


class Honest:
    """Contract `ticket`, plainly."""

    capabilities: tuple[str, ...] = ("clock",)

    # The three functions -----------------------------------------------------

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo:
        base = Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            self.require_tables(base)
            made = self.store(base, self.seconds(now_ns))
            self.prune(base, made)
            return self.info_of(made)

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        return [self.info_of(archive) for archive in self.readable(Path(base_path))]

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started = time.monotonic_ns()
        base = Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            entries = self.read(self.pick(self.archives(base), target_timestamp))
            self.install(base, entries)
        return self.report(entries, time.monotonic_ns() - started)

    # Names and order ---------------------------------------------------------

    def seconds(self, now_ns: int | None) -> int:
        return (time.time_ns() if now_ns is None else now_ns) // 10**9

    def parse(self, path: Path) -> Archive | None:
        match = NAME.fullmatch(path.name)
        if match is None or int(match[1]) > U64_MAX:
            return None
        return Archive(int(match[1]), int(match[2] or 0), path)

    def free_name(self, base: Path, seconds: int) -> Path:
        taken = [a.sequence for a in self.archives(base) if a.timestamp == seconds]
        return base / "backups" / f"{seconds}-{max(taken, default=0) + 1}{SUFFIX}"

    def archives(self, base: Path) -> list[Archive]:
        """What lies under an archive's name, readable or not, newest first."""
        try:
            with os.scandir(base / "backups") as found:
                paths = [Path(e.path) for e in found if e.is_file(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((a for path in paths if (a := self.parse(path))), reverse=True)

    def readable(self, base: Path) -> list[Archive]:
        return [archive for archive in self.archives(base) if self.is_readable(archive)]

    def is_readable(self, archive: Archive) -> bool:
        try:
            self.read(archive)
        except ReedError:
            return False
        return True

    def info_of(self, archive: Archive) -> BackupInfo:
        size = archive.path.stat().st_size
        return BackupInfo(
            archive.id, archive.timestamp, size, self.count_tables(self.read(archive)), "gzip"
        )

    def count_tables(self, entries: Iterable[Entry]) -> int:
        return len({e.name.split("/")[1] for e in entries if _is_in_a_table(e)})

    # Creating ----------------------------------------------------------------

    def require_tables(self, base: Path) -> None:
        if not (base / "tables").is_dir():
            raise ReedError("NoTablesFound", "No tables found")

    def store(self, base: Path, seconds: int) -> Archive:
        """Writes the archive beside its place and moves it there."""
        backups = base / "backups"
        is_new = not backups.exists()
        backups.mkdir(exist_ok=True)
        partial = backups / "unfinished"
        try:
            partial.write_bytes(self.compress(self.pack(self.source(base))))
            path = self.free_name(base, seconds)
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            if is_new:
                backups.rmdir()
            raise
        made = self.parse(path)
        assert made is not None
        return made

    def source(self, base: Path) -> Iterator[Entry]:
        for root in ROOTS:
            if (base / root).is_dir():
                yield from self.walk(base / root, root)

    def walk(self, path: Path, name: str) -> Iterator[Entry]:
        """A folder and all below it, in the order of names."""
        yield self.entry(path, name)
        with os.scandir(path) as found:
            children = sorted(found, key=lambda child: child.name)
        for child in children:
            child_name = f"{name}/{child.name}"
            if child.is_dir(follow_symlinks=False):
                yield from self.walk(path / child.name, child_name)
            elif child.is_file(follow_symlinks=False):
                yield self.entry(path / child.name, child_name)
            else:
                yield from self.special(path / child.name, child_name)

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        raise ReedError("BackupUnsafe", f"{name} is neither a file nor a folder", path=name)

    def entry(self, path: Path, name: str) -> Entry:
        found = path.stat()
        is_folder = stat.S_ISDIR(found.st_mode)
        content = b"" if is_folder else path.read_bytes()
        return Entry(name, is_folder, stat.S_IMODE(found.st_mode), found.st_mtime, content)

    def pack(self, entries: Iterable[Entry]) -> bytes:
        """The plain tar."""
        blocks = []
        for entry in entries:
            blocks += [self.header(entry), entry.content, bytes(-len(entry.content) % 512)]
        return b"".join(blocks) + bytes(1024)

    def header(self, entry: Entry) -> bytes:
        member = tarfile.TarInfo(entry.name)
        member.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
        member.mode, member.mtime, member.size = entry.mode, entry.mtime // 1, len(entry.content)
        return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 6)

    def prune(self, base: Path, made: Archive) -> None:
        others = [archive for archive in self.readable(base) if archive != made]
        for archive in others[KEEP - 1 :]:
            archive.path.unlink()

    # Reading -----------------------------------------------------------------

    def pick(self, archives: list[Archive], target: int) -> Archive:
        for archive in archives:
            if archive.timestamp <= target:
                return archive
        oldest = archives[-1].timestamp if archives else None
        raise ReedError("BackupNotFound", "no backup that old", target=target, oldest=oldest)

    def read(self, archive: Archive) -> list[Entry]:
        """All of a backup, verified."""
        return self.admitted(archive, self.unpack(archive, self.decompress(archive)))

    def decompress(self, archive: Archive) -> bytes:
        inflate = zlib.decompressobj(31)  # checks the CRC and the length at the end
        try:
            tar = inflate.decompress(archive.path.read_bytes())
        except zlib.error as error:
            raise corrupted(archive, str(error)) from error
        if not inflate.eof or inflate.unused_data:
            raise corrupted(archive, "it is not just one whole gzip member")
        return tar

    def unpack(self, archive: Archive, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        """Every member of a whole tar, with its content."""
        members = []
        try:
            with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as tar:
                while member := tar.next():
                    if not 0 <= member.size <= len(data):
                        raise corrupted(archive, f"{member.name} claims {member.size} bytes")
                    # What a link leads to is for `admitted` to say.
                    file = tar.extractfile(member) if member.isreg() else None
                    members.append((member, file.read() if file else b""))
                rest = data[tar.offset :]
        except tarfile.TarError as error:
            raise corrupted(archive, str(error)) from error
        if rest.strip(b"\0"):
            raise corrupted(archive, "a header is damaged")
        return members

    def admitted(
        self, archive: Archive, members: Iterable[tuple[tarfile.TarInfo, bytes]]
    ) -> list[Entry]:
        """Files and folders of tables/ and indices/; nothing that reaches out of them."""
        entries: dict[str, Entry] = {}
        for member, content in members:
            parts = member.name.split("/")
            name = "/".join(part for part in parts if part not in ("", "."))
            if member.name.startswith("/") or ".." in parts:
                raise unsafe(member.name, "leads out of the database")
            if member.islnk():
                content = self.link_target(entries, member).content
            elif not member.isreg() and not member.isdir():
                raise unsafe(member.name, "is neither a file nor a folder")
            if name in entries and not (member.isdir() and entries[name].is_folder):
                raise unsafe(member.name, "is there twice")
            if name.split("/")[0] in ROOTS:
                entries[name] = Entry(name, member.isdir(), member.mode, member.mtime, content)
        if not any(name.split("/")[0] == "tables" for name in entries):
            raise corrupted(archive, "it holds no tables/")
        return list(entries.values())

    def link_target(self, entries: dict[str, Entry], member: tarfile.TarInfo) -> Entry:
        target = entries.get(member.linkname.removeprefix("./"))
        if target is None or target.is_folder:
            raise unsafe(member.name, f"is a link to {member.linkname}, which is no file before it")
        return target

    # Restoring ---------------------------------------------------------------

    def install(self, base: Path, entries: list[Entry]) -> None:
        """Writes the new trees beside the live ones, then puts them in their place."""
        staging = base / ".staging"
        remove(staging)
        (staging / "old").mkdir(parents=True)
        try:
            self.write_entries(staging / "new", entries)
            staging.rename(base / ".swap")
        except BaseException:
            remove(staging)
            raise
        self.finish_swap(base)

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        target.mkdir()
        for entry in entries:
            path = target / entry.name
            (path if entry.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            if not entry.is_folder:
                self.write_file(path, entry)
        for entry in reversed(entries):
            (target / entry.name).chmod(entry.mode)
            os.utime(target / entry.name, (entry.mtime, entry.mtime))

    def write_file(self, path: Path, entry: Entry) -> None:
        with path.open("xb") as file:
            file.write(entry.content)

    def finish_swap(self, base: Path) -> None:
        """Does what is left of a swap; a kill leaves it to the next call."""
        swap, done = base / ".swap", base / ".swapped"
        if swap.exists():
            for root in ROOTS:
                if not (swap / "old" / root).exists():
                    self.retire(base / root, swap / "old" / root)
                if (swap / "new" / root).exists():
                    (swap / "new" / root).rename(base / root)
            swap.rename(done)
        remove(done)

    def retire(self, live: Path, old: Path) -> None:
        if os.path.lexists(live):
            live.rename(old)
        else:
            old.mkdir()  # says that this step is done

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        total = sum(len(entry.content) for entry in entries)
        return RestoreReport(self.count_tables(entries), total, elapsed_ns // 10**6)

    # Both --------------------------------------------------------------------

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        """One writer at a time; what the system refuses becomes an IoError."""
        try:
            descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ReedError("IoError", str(error), operation="backup", reason=str(error)) from error


def corrupted(archive: Archive, reason: str) -> ReedError:
    return ReedError("BackupCorrupted", f"{archive.path.name}: {reason}", archive=archive.path.name)


def unsafe(name: str, reason: str) -> ReedError:
    return ReedError("BackupUnsafe", f"{name} {reason}", path=name)


def remove(path: Path) -> None:
    """Removes a folder, if it is there, with folders that may not be written to."""
    with suppress(FileNotFoundError):
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)


def _is_in_a_table(entry: Entry) -> bool:
    parts = entry.name.split("/")
    return parts[0] == "tables" and (len(parts) > 2 or (len(parts) == 2 and entry.is_folder))
