"""Backup archives: one gzip member holding a plain tar of tables/ and indices/.

After the database's own members comes one of ours, the manifest. Archives of
others, which have none, are verified by their gzip checksum and structure alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from reedbase_backup import manifest, tar
from reedbase_backup.contents import Entry, SafeNames
from reedbase_backup.errors import BackupCorrupted, BackupUnsafe, LockTimeout, from_os_error
from reedbase_backup.gzip_member import GzipDamaged, GzipReader, GzipWriter, Summary, read_summary
from reedbase_backup.locks import TABLE_TIMEOUT_SECS
from reedbase_backup.manifest import ManifestDamaged, Record
from reedbase_backup.sharing import Readers
from reedbase_backup.source import SourceChanged, SourceFile, SourceFolder, Unit
from reedbase_backup.tar_reader import MAX_PATH, Reader, TarDamaged, TarHostile

_RETRY_PAUSE_SECS = 0.02


class ArchiveWriter:
    """Writes the units of a database to an archive file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = GzipWriter(file)
        self._manifest: list[bytes] = []
        self.readers = Readers()
        """Who besides the owner may read all that was added."""

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
        content = manifest.encode(self._manifest)
        self._gzip.write(tar.encode(tar.Member(manifest.NAME, tar.FILE, size=len(content))))
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
        self.readers.see(entry.descriptor, status)
        if len(name) > MAX_PATH:
            raise BackupUnsafe(entry.name, f"its path of {len(name)} bytes cannot be restored")
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
        digest = manifest.NO_DIGEST
        if isinstance(entry, SourceFile):
            hasher = sha256()
            for chunk in entry.chunks():
                hasher.update(chunk)
                self._gzip.write(chunk)
            self._gzip.write(tar.padding(member.size))
            digest = hasher.hexdigest().encode()
        self._manifest.append(Record(digest, member.size, member.mtime_ns).line(name))


@dataclass(frozen=True, slots=True)
class Contents:
    """What a whole, verified archive holds."""

    table_count: int
    total_bytes: int
    """Sum of the sizes of all files."""
    records: dict[str, Record]
    """Its folders and files by name, with exact mtimes where there is a manifest."""
    has_manifest: bool


class ArchiveReader:
    """Iterates over a backup's entries and verifies the whole archive on the way.

    What was read is to be believed only once the iteration has ended, which is
    when `contents` is there. Raises BackupCorrupted for damage, BackupUnsafe
    for members that must not be restored.
    """

    def __init__(self, file: IO[bytes], file_name: str) -> None:
        self._file_name = file_name
        with self._judging():
            self._summary = read_summary(file)
        if self._summary and self._summary.file_size != os.fstat(file.fileno()).st_size:
            raise BackupCorrupted(file_name, "it is shorter or longer than when it was made")
        file.seek(0)
        with self._judging():
            self._gzip = GzipReader(file)
        self._tar = Reader(self._gzip)
        self._hasher = sha256()
        self._names = SafeNames()
        self._records: dict[str, Record] = {}
        self._manifest: bytes | None = None
        self.contents: Contents | None = None

    def __iter__(self) -> Iterator[Entry]:
        """The entries in the archive's order; `chunks` gives the current one's content."""
        with self._judging():
            for member in self._tar:
                entry = self._names.admit(member)
                if entry is not None:
                    yield entry
                    self._record(entry)
                elif member.name == manifest.NAME:
                    self._read_manifest(member)
            self.contents = self._verified_contents()

    def read_through(self) -> Contents:
        """Reads and verifies everything, and returns what there is."""
        for _ in self:
            pass
        assert self.contents is not None
        return self.contents

    def chunks(self) -> Iterator[bytes]:
        """The current entry's content; nothing for folders and hard links."""
        with self._judging():
            for chunk in self._tar.data():
                self._hasher.update(chunk)
                yield chunk

    @contextmanager
    def _judging(self) -> Iterator[None]:
        try:
            yield
        except (GzipDamaged, TarDamaged, ManifestDamaged) as error:
            raise BackupCorrupted(self._file_name, str(error)) from error
        except TarHostile as error:
            raise BackupUnsafe(os.fsdecode(error.name), error.reason) from error
        except OSError as error:
            raise from_os_error(error, "read_archive", self._file_name) from error

    def _record(self, entry: Entry) -> None:
        for chunk in self._tar.data():
            self._hasher.update(chunk)
        if entry.same_as is not None:
            digest = self._records[entry.same_as].digest
        elif entry.is_folder:
            digest = manifest.NO_DIGEST
        else:
            digest = self._hasher.hexdigest().encode()
            self._hasher = sha256()
        self._records[entry.name] = Record(digest, entry.size, entry.mtime_ns)

    def _read_manifest(self, member: tar.Member) -> None:
        if member.size > manifest.max_size(self._records):
            raise ManifestDamaged(f"its manifest claims {member.size} bytes")
        self._manifest = b"".join(self._tar.data())

    def _verified_contents(self) -> Contents:
        if "tables" not in self._names.folders:
            raise BackupCorrupted(self._file_name, "it holds no tables/ folder")
        records, table_count = self._records, self._names.table_count
        if self._summary:
            self._check_summary(self._summary, table_count)
        elif self._manifest is not None and self._gzip.has_extra_field:
            raise BackupCorrupted(self._file_name, "its header is damaged")
        if self._manifest is not None:
            records = manifest.verified(self._manifest, records)
        return Contents(
            table_count=table_count,
            total_bytes=sum(self._names.sizes.values()),
            records=records,
            has_manifest=self._manifest is not None,
        )

    def _check_summary(self, summary: Summary, table_count: int) -> None:
        if summary.body_crc != self._gzip.body_crc:
            raise BackupCorrupted(self._file_name, "its checksum is wrong")
        if summary.table_count != table_count:
            raise BackupCorrupted(self._file_name, "its header counts other tables than it holds")
        if self._manifest is None:
            raise BackupCorrupted(self._file_name, "its manifest is missing")
