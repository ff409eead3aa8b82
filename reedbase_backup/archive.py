"""Backup archives: one gzip member holding a plain tar of tables/ and indices/.

After the database's own members comes one of ours, the manifest: a line for
every folder and file with its SHA-256, size and mtime in nanoseconds (ustar
headers keep whole seconds). Archives of others, which have no manifest, are
verified by their gzip checksum and structure alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from reedbase_backup import tar
from reedbase_backup.errors import BackupCorrupted, BackupUnsafe, LockTimeout
from reedbase_backup.gzip_member import GzipDamaged, GzipReader, GzipWriter, read_summary
from reedbase_backup.locks import TABLE_TIMEOUT_SECS
from reedbase_backup.source import SourceChanged, SourceFile, SourceFolder, Unit

ROOTS = ("tables", "indices")
"""The folders that a backup holds (ticket 060-OPS-01, "Architecture")."""

# What no archive of tables/ and indices/ has a reason to hold
# (contract `ticket`, create/content).
_FORBIDDEN_ROOTS = ("backups", "registry")

_MANIFEST = b".reedbackup/manifest"
_MANIFEST_TITLE = b"reedbackup manifest 1\n"
_NO_DIGEST = b"-"
_RETRY_PAUSE_SECS = 0.02


class ArchiveWriter:
    """Writes the units of a database to an archive file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = GzipWriter(file)
        self._manifest: list[bytes] = []

    def add(self, unit: Unit) -> bool:
        """Adds all of `unit`, read again while a writer keeps changing it.

        Returns whether it was there. Raises LockTimeout where it has not
        settled after TABLE_TIMEOUT_SECS.
        """
        checkpoint = self._gzip.checkpoint()
        lines = len(self._manifest)
        deadline = time.monotonic() + TABLE_TIMEOUT_SECS
        while not self._added(unit):
            self._gzip.rewind(checkpoint)
            del self._manifest[lines:]
            if time.monotonic() > deadline:
                raise LockTimeout(unit.name, TABLE_TIMEOUT_SECS)
            time.sleep(_RETRY_PAUSE_SECS)
        return len(self._manifest) > lines

    def finish(self, *, table_count: int) -> int:
        """Adds the manifest and ends the archive; returns its size in bytes."""
        content = _MANIFEST_TITLE + b"".join(self._manifest)
        self._gzip.write(tar.encode(tar.Member(_MANIFEST, tar.FILE, size=len(content))))
        self._gzip.write(content + tar.padding(len(content)) + tar.END_OF_ARCHIVE)
        return self._gzip.finish(table_count=table_count)

    def _added(self, unit: Unit) -> bool:
        try:
            for entry in unit.entries():
                self._add_entry(entry)
        except SourceChanged:
            return False
        return True

    def _add_entry(self, entry: SourceFolder | SourceFile) -> None:
        name, status = os.fsencode(entry.name), entry.status
        is_file = isinstance(entry, SourceFile)
        member = tar.Member(
            name=name if is_file else name + b"/",
            kind=tar.FILE if is_file else tar.FOLDER,
            mode=status.st_mode & 0o7777,
            mtime_ns=status.st_mtime_ns,
            size=status.st_size if is_file else 0,
            uid=status.st_uid,
            gid=status.st_gid,
        )
        self._gzip.write(tar.encode(member))
        digest = _NO_DIGEST
        if isinstance(entry, SourceFile):
            hasher = sha256()
            for chunk in entry.chunks():
                hasher.update(chunk)
                self._gzip.write(chunk)
            self._gzip.write(tar.padding(member.size))
            digest = hasher.hexdigest().encode()
        self._manifest.append(_manifest_line(digest, member.size, member.mtime_ns, name))


def _manifest_line(digest: bytes, size: int, mtime_ns: int, name: bytes) -> bytes:
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return b"%s %d %d %s\n" % (digest, size, mtime_ns, escaped)


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder or file of a backup, checked to be safe to write below a fresh folder."""

    name: str
    """Relative, normal, and below tables/ or indices/."""
    is_folder: bool
    mode: int
    mtime_ns: int
    size: int
    uid: int
    gid: int
    same_as: str | None
    """The earlier file whose content this one repeats (a hard link in the archive)."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole, verified archive holds."""

    table_count: int
    file_count: int
    total_bytes: int
    """Sum of the sizes of all files."""
    mtimes_ns: dict[str, int]
    """The exact mtimes of the manifest, by name; empty for an archive without one."""


class ArchiveReader:
    """Iterates over a backup's entries and verifies the whole archive on the way.

    What was read is to be believed only once the iteration has ended, which is
    when `contents` is there. Raises BackupCorrupted for damage, BackupUnsafe
    for members that must not be restored.
    """

    def __init__(self, file: IO[bytes], file_name: str) -> None:
        self._file_name = file_name
        self._summary = read_summary(file)
        if self._summary and self._summary.file_size != os.fstat(file.fileno()).st_size:
            raise BackupCorrupted(file_name, "it is shorter or longer than when it was made")
        file.seek(0)
        try:
            self._gzip = GzipReader(file)
        except GzipDamaged as error:
            raise BackupCorrupted(file_name, str(error)) from error
        self._tar = tar.Reader(self._gzip)
        self._hasher = sha256()
        self._names = SafeNames()
        self._records: dict[str, _Record] = {}
        self._manifest: bytes | None = None
        self.contents: Contents | None = None

    def __iter__(self) -> Iterator[Entry]:
        """The entries in the archive's order; `chunks` gives the current one's content."""
        try:
            for member in self._tar:
                entry = self._names.admit(member)
                if entry is not None:
                    yield entry
                    self._record(entry)
                elif member.name == _MANIFEST:
                    self._manifest = b"".join(self._tar.data())
        except (GzipDamaged, tar.TarDamaged) as error:
            raise BackupCorrupted(self._file_name, str(error)) from error
        except tar.TarHostile as error:
            raise BackupUnsafe(os.fsdecode(error.name), error.reason) from error
        self.contents = self._verified_contents()

    def read_through(self) -> Contents:
        """Reads and verifies everything, and returns what there is."""
        for _ in self:
            pass
        assert self.contents is not None
        return self.contents

    def chunks(self) -> Iterator[bytes]:
        """The current entry's content; nothing for folders and hard links."""
        for chunk in self._tar.data():
            if self._summary:
                self._hasher.update(chunk)
            yield chunk

    def _record(self, entry: Entry) -> None:
        for _ in self.chunks():
            pass
        digest = _NO_DIGEST if entry.is_folder else self._hasher.hexdigest().encode()
        self._hasher = sha256()
        self._records[entry.name] = _Record(digest, entry.size, entry.mtime_ns)

    def _verified_contents(self) -> Contents:
        if "tables" not in self._names.folders:
            raise BackupCorrupted(self._file_name, "it holds no tables/ folder")
        tables = sum(name.count("/") == 1 for name in self._names.folders if name[0] == "t")
        records = self._records
        if self._summary:
            records = self._verified_manifest(tables)
        return Contents(
            table_count=tables,
            file_count=len(self._names.sizes),
            total_bytes=sum(self._names.sizes.values()),
            mtimes_ns={name: record.mtime_ns for name, record in records.items()},
        )

    def _verified_manifest(self, tables: int) -> dict[str, _Record]:
        """The manifest's records, which must be those of the members that were read."""
        if self._manifest is None or self._summary is None:
            raise BackupCorrupted(self._file_name, "its manifest is missing")
        if self._summary.table_count != tables:
            raise BackupCorrupted(self._file_name, "its header counts other tables than it holds")
        records = self._parsed_manifest(self._manifest)
        if records.keys() != self._records.keys():
            raise BackupCorrupted(self._file_name, "its manifest names other files than it holds")
        for name, found in self._records.items():
            if (records[name].digest, records[name].size) != (found.digest, found.size):
                raise BackupCorrupted(self._file_name, f"the content of {name} is not as backed up")
        return records

    def _parsed_manifest(self, manifest: bytes) -> dict[str, _Record]:
        title, *lines = manifest.split(b"\n")[:-1]
        if title + b"\n" != _MANIFEST_TITLE:
            raise BackupCorrupted(
                self._file_name,
                "its manifest has an unknown format; was it made by a newer version?",
            )
        records = {}
        try:
            for line in lines:
                digest, size, mtime_ns, name = line.split(b" ", 3)
                records[os.fsdecode(_unescaped(name))] = _Record(digest, int(size), int(mtime_ns))
        except ValueError as error:
            raise BackupCorrupted(self._file_name, "its manifest is malformed") from error
        return records


@dataclass(frozen=True, slots=True)
class _Record:
    digest: bytes
    size: int
    mtime_ns: int


class SafeNames:
    """Admits members one by one: each name normal, in place, and new."""

    def __init__(self) -> None:
        self.folders: set[str] = set()
        """All folders, those too that only a path implies."""
        self.sizes: dict[str, int] = {}
        """The sizes of all files, in bytes."""
        self._announced: set[str] = set()

    def admit(self, member: tar.Member) -> Entry | None:
        """The entry for `member`; None for one beside tables/ and indices/.

        Raises BackupUnsafe for everything that an honest backup does not hold.
        """
        name = _normal_name(member)
        root = name.partition("/")[0]
        if member.kind not in (tar.FILE, tar.FOLDER, tar.HARD_LINK):
            raise BackupUnsafe(name, f"the archive holds {member.kind_words}; it was not restored")
        if root in _FORBIDDEN_ROOTS:
            raise BackupUnsafe(name, "a backup holds only tables/ and indices/")
        if root not in ROOTS:
            if member.kind == tar.HARD_LINK:
                raise BackupUnsafe(name, "a link beside tables/ and indices/")
            return None
        return self._entry(name, member)

    def _entry(self, name: str, member: tar.Member) -> Entry:
        is_folder = member.kind == tar.FOLDER
        if (
            name in self._announced
            or name in self.sizes
            or (not is_folder and name in self.folders)
        ):
            raise BackupUnsafe(name, "the archive holds it twice")
        self._imply_parents(name)
        size, same_as = member.size, None
        if is_folder:
            self._announced.add(name)
            self.folders.add(name)
            size = 0
        else:
            if name in ROOTS:
                raise BackupUnsafe(name, "it is a file where a folder must be")
            if member.kind == tar.HARD_LINK:
                same_as = self._link_target(name, member)
                size = self.sizes[same_as]
            self.sizes[name] = size
        return Entry(
            name, is_folder, member.mode, member.mtime_ns, size, member.uid, member.gid, same_as
        )

    def _imply_parents(self, name: str) -> None:
        parent = name.rpartition("/")[0]
        while parent and parent not in self.folders:
            if parent in self.sizes:
                raise BackupUnsafe(name, f"{parent} is a file and a folder at once")
            self.folders.add(parent)
            parent = parent.rpartition("/")[0]

    def _link_target(self, name: str, member: tar.Member) -> str:
        target = os.fsdecode(member.link).removeprefix("./")
        if target not in self.sizes:
            raise BackupUnsafe(
                name, f"a link to {target!r}, which is no earlier file of the archive"
            )
        return target


def _normal_name(member: tar.Member) -> str:
    """The member's name without `./` and trailing slashes; "" for the root itself."""
    text = os.fsdecode(member.name)
    parts = text.rstrip("/").split("/")
    if text.startswith("/") or ".." in parts or "\0" in text:
        raise BackupUnsafe(text, "the name leads out of the database")
    return "/".join(part for part in parts if part not in ("", "."))


def _unescaped(name: bytes) -> bytes:
    if b"\\" not in name:
        return name
    pieces = name.split(b"\\\\")
    return b"\\".join(piece.replace(b"\\n", b"\n") for piece in pieces)
