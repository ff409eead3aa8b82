"""Read an archive, by whomever, and say whether it is whole (FORMAT.md, "What we read").

An archive with a manifest is held against that; one without is verified by its gzip
checksum and its structure alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from reedbase_backup.archive import manifest
from reedbase_backup.archive.admission import Admission, ArchiveEntry
from reedbase_backup.archive.gzip_header import read_summary
from reedbase_backup.archive.gzip_reader import GzipDamaged, GzipReader
from reedbase_backup.archive.gzip_writer import Stretch
from reedbase_backup.archive.limits import Allowance, LimitExceeded
from reedbase_backup.archive.manifest import ManifestDamaged, Record
from reedbase_backup.archive.reuse import index
from reedbase_backup.archive.reuse.index import Index, IndexDamaged
from reedbase_backup.archive.reuse.runs import LARGE_FILE
from reedbase_backup.archive.tar.fields import TarDamaged
from reedbase_backup.archive.tar.header import Member
from reedbase_backup.archive.tar.reader import TarHostile, TarReader
from reedbase_backup.errors import (
    BackupCorrupted,
    BackupUnsafe,
    ReedError,
    from_os_error,
)

# To tell damage from a maker's intent; a refusal is not worth more.
_DRAINED_UP_TO = 1 << 30


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
    for a sound archive that must not be restored. What is to be passed over has to be
    said at once, as `passes_over`.
    """

    def __init__(self, file: IO[bytes], file_name: str, *, passes_over: bool = False) -> None:
        self._file = file
        self._file_name = file_name
        size = os.fstat(file.fileno()).st_size
        with self._judging():
            self._summary = read_summary(file)
            large_files = self._large_files() if passes_over else []
        if self._summary and self._summary.file_size != size:
            off = size - self._summary.file_size
            words = f"{abs(off)} bytes {'longer' if off > 0 else 'shorter'}"
            raise BackupCorrupted(file_name, f"it is {words} than when it was made")
        file.seek(0)
        self._gzip = GzipReader(file, large_files)
        allowance = Allowance.of(size)
        self._tar = TarReader(self._gzip, allowance)
        self._names = Admission(allowance)
        self._hasher = sha256()
        self._is_hashing = False
        """Whether something of the current entry was read in chunks."""
        self._is_passed_over = False
        """Whether the current entry was."""
        self._is_reading_through = False
        self._content: bytes | None = None
        """The current entry's, where it is at hand."""
        self._manifest: bytes | None = None
        self._index: bytes | None = None
        self.contents: Contents | None = None

    def __iter__(self) -> Iterator[ArchiveEntry]:
        """Yield the entries in the archive's order; `chunks` gives the current one's content."""
        with self._judging():
            for member in self._tar:
                entry = self._names.admit(member)
                if entry is not None:
                    yield entry
                    self._names.record(entry, self._digest(entry))
                    yield from self._alike(entry)
                elif member.name == manifest.NAME:
                    self._read_manifest(member)
                elif member.name == index.NAME:
                    self._read_index(member)
            self.contents = self._verified_contents()

    def _alike(self, entry: ArchiveEntry) -> Iterator[ArchiveEntry]:
        """Yield the files that follow `entry` and are like it, if who iterates wants any."""
        files = self._tar.alike()
        if self._is_reading_through:
            digests = [sha256(content).hexdigest() for _, _, content in files]
            self._names.record_beside(entry, files, digests)
            return
        for file in files:
            beside = self._names.admit_beside(entry, file)
            self._content = content = file[2]
            yield beside
            self._content = None
            self._names.record(beside, sha256(content).hexdigest())

    def read_through(self) -> Contents:
        """Read and verify everything, and return what there is."""
        self._is_reading_through = True
        for _ in self:
            pass
        assert self.contents is not None
        return self.contents

    def chunks(self) -> Iterator[bytes]:
        """Yield the current entry's content; nothing for folders and hard links."""
        with self._judging():
            if self._content:
                yield self._content
            for chunk in self._tar.data():
                self._is_hashing = True
                self._hasher.update(chunk)
                yield chunk

    def pass_over(self) -> None:
        """Leave the current entry's content out, if it is a large file in an archive of ours.

        Its compressed bytes are what was written: they have their CRC-32. Else it is read, as
        any entry that nobody reads in `chunks`. Whoever has it already is to hold that against
        its record, which gets the digest that the manifest has.
        """
        if self._is_hashing or self._content is not None:
            return
        with self._judging():
            if self._gzip.pass_over(self._tar.left):
                self._tar.passed_over()
                self._is_passed_over = True

    def _large_files(self) -> list[Stretch]:
        """Return where they are, by the index. Raise IndexDamaged."""
        if self._summary is None or self._summary.index is None:
            return []
        content = index.read(self._file, self._summary.index)
        return Index(content, self._summary.file_size).bodies(LARGE_FILE)

    @contextmanager
    def _judging(self) -> Iterator[None]:
        try:
            yield
        except (GzipDamaged, TarDamaged, ManifestDamaged, IndexDamaged) as error:
            raise BackupCorrupted(self._file_name, str(error)) from error
        except LimitExceeded as error:
            raise self._refusal(BackupUnsafe(self._file_name, str(error))) from error
        except TarHostile as error:
            name = os.fsdecode(error.name) or self._file_name
            raise self._refusal(BackupUnsafe(name, error.reason)) from error
        except BackupUnsafe as error:
            raise self._refusal(error) from error.__cause__
        except OSError as error:
            raise from_os_error(error, "read_archive", self._file_name) from error

    def _refusal(self, unsafe: BackupUnsafe) -> ReedError:
        """Return `unsafe`, or the damage if there is any, which made the member what it is."""
        try:
            if self._gzip.drain(_DRAINED_UP_TO):
                self._check_body()
        except GzipDamaged as damage:
            return BackupCorrupted(self._file_name, str(damage))
        except LimitExceeded:
            pass
        return unsafe

    def _digest(self, entry: ArchiveEntry) -> str:
        """Return what the manifest says of the current entry, of which the rest is read."""
        if self._is_passed_over:
            self._is_passed_over = False
            return manifest.UNREAD
        if entry.is_folder:
            return manifest.NO_DIGEST
        if entry.same_as is not None:
            return self._names.records[entry.same_as].digest
        for chunk in self._tar.data():
            self._hasher.update(chunk)
        digest = self._hasher.hexdigest()
        self._hasher, self._is_hashing = sha256(), False
        return digest

    def _read_manifest(self, member: Member) -> None:
        if self._manifest is not None:
            raise ManifestDamaged("it has two manifests")
        if member.size > manifest.max_size(self._names.records):
            raise ManifestDamaged(f"its manifest claims {member.size} bytes")
        self._manifest = b"".join(self._tar.data())

    def _read_index(self, member: Member) -> None:
        if self._summary is None or self._summary.index is None:
            return  # Compressed anew, where nothing is where it says.
        if self._index is not None:
            raise IndexDamaged("it has two indexes")
        if member.size > index.MAX_SIZE:
            raise IndexDamaged(f"its index claims {member.size} bytes")
        self._index = b"".join(self._tar.data())

    def _verified_contents(self) -> Contents:
        if not self._names.has_folder("tables"):
            raise BackupCorrupted(self._file_name, "it holds no tables/ folder")
        records, table_count = self._names.records, self._names.table_count
        self._check_body()
        if self._summary:
            if self._summary.table_count != table_count:
                raise GzipDamaged("its header counts other tables than it holds")
            if self._manifest is None:
                raise ManifestDamaged("its manifest is missing")
            if self._summary.index is not None:
                if self._index is None:
                    raise IndexDamaged("its index is missing")
                if self._index != index.read(self._file, self._summary.index):
                    raise IndexDamaged("it has another index than its header says")
                Index(self._index, self._summary.file_size)
        elif self._manifest is not None and self._gzip.has_extra_field:
            raise GzipDamaged("its header is damaged")
        if self._manifest is not None:
            manifest.verify(self._manifest, records)
        return Contents(
            table_count=table_count,
            total_bytes=sum(record.size for record in records.values()),
            records=records,
            has_manifest=self._manifest is not None,
        )

    def _check_body(self) -> None:
        if self._summary and self._summary.body_crc != self._gzip.body_crc:
            raise GzipDamaged("its checksum is wrong")
