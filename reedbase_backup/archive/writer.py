"""Write an archive of a database (FORMAT.md, "What we write")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import IO

from reedbase_backup.archive import manifest
from reedbase_backup.archive.deflating import Segment, deflated, stored
from reedbase_backup.archive.gzip_writer import GzipWriter, Stretch
from reedbase_backup.archive.limits import MAX_PATH
from reedbase_backup.archive.reuse import index
from reedbase_backup.archive.reuse.index import Record
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.predecessor import Damaged, Predecessor
from reedbase_backup.archive.reuse.runs import Run, read_runs, runs_of
from reedbase_backup.archive.tar.header import (
    BLOCK,
    END_OF_ARCHIVE,
    FILE,
    FOLDER,
    Member,
    encode,
    encode_files,
    padding,
)
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source import Unit, read_settled
from reedbase_backup.disk.source_entries import (
    SPECIAL,
    SourceEntry,
    SourceFile,
    SourceFiles,
    SourceFolder,
    SourceOther,
)
from reedbase_backup.errors import BackupUnsafe

# Up to here, to copy a file's content costs less than to hand it on in three pieces.
_ONE_PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class _FolderLine:
    """What the manifest says of a folder, which is of no run: it changes with each file."""

    line: bytes


@dataclass(frozen=True, slots=True)
class _WrittenRun:
    """A run whose members are written, and whose lines are to be."""

    key: bytes | None
    is_plain: bool
    body: Stretch
    lines: list[Segment]


class ArchiveWriter:
    """Writes the units of a database to an archive file, until `close`.

    `origin` is the new archive's. What is as it was in `predecessor` is taken over.
    """

    def __init__(
        self, file: IO[bytes], origin: Origin, predecessor: Predecessor | None = None
    ) -> None:
        self._gzip = GzipWriter(file)
        self._origin = origin
        self._predecessor = predecessor
        self._written: list[_FolderLine | _WrittenRun] = []
        self.readers = Readers()
        """Who besides the owner may read all that was added."""

    def add(self, unit: Unit) -> bool:
        """Add all of `unit`, read again while a writer keeps changing it.

        Return whether it was there. Raise LockTimeout where it has not
        settled after TABLE_TIMEOUT_SECS, BackupUnsafe for a symlink, FIFO, socket or
        device.
        """
        checkpoint = self._gzip.checkpoint()
        written = len(self._written)

        def forget() -> None:
            self._gzip.rewind(checkpoint)
            del self._written[written:]

        read_settled(unit, self._add_entry, forget)
        return len(self._written) > written

    @property
    def size(self) -> int:
        """How many bytes the entries take by now, roughly."""
        return self._gzip.size

    def finish(self, *, table_count: int) -> int:
        """Add manifest and index, end the archive, and return its size in bytes."""
        self._gzip.begin_stretch()
        size, records = self._add_manifest()
        self._gzip.checkpoint()
        content = index.encode(self._origin, records)
        self._gzip.write(padding(size) + encode(Member(index.NAME, FILE, size=len(content))))
        place = self._gzip.begin_stretch()
        # Digests and times: they hardly compress, and would make archives of the same database
        # larger or smaller by a byte or two.
        self._gzip.copy(stored(content))
        self._gzip.begin_stretch()
        self._gzip.write(padding(len(content)) + END_OF_ARCHIVE)
        return self._gzip.finish(table_count=table_count, index=place)

    def close(self) -> None:
        """End what works beside this thread, whether the archive is complete or not."""
        self._gzip.close()

    def _add_manifest(self) -> tuple[int, list[Record]]:
        """Add the manifest, and return its size and the records of all runs."""
        size, records = len(manifest.TITLE), []
        for written in self._written:
            if isinstance(written, _FolderLine):
                size += len(written.line)
            else:
                size += sum(segment.span.size for segment in written.lines)
        self._gzip.write(encode(Member(manifest.NAME, FILE, size=size)) + manifest.TITLE)
        for written in self._written:
            if isinstance(written, _FolderLine):
                self._gzip.write(written.line)
                continue
            lines = self._gzip.begin_stretch()
            for segment in written.lines:
                self._gzip.copy(segment)
            self._gzip.begin_stretch()
            if written.key is not None:
                records.append(Record(written.key, written.is_plain, written.body, lines))
        return size, records

    def _add_entry(self, entry: SourceEntry) -> None:
        if isinstance(entry, SourceOther):
            raise BackupUnsafe(entry.name, SPECIAL)
        if isinstance(entry, SourceFolder):
            self._add_folder(entry)
        elif self._predecessor is None:
            self._add_files(entry, entry.names)
        else:
            for run in runs_of(entry):
                if not self._took_over(run, self._predecessor):
                    self._add_files(entry, run.names)

    def _add_folder(self, folder: SourceFolder) -> None:
        name, status = _restorable(folder.name), folder.status
        self.readers.see(folder.descriptor, status)
        self._gzip.begin_stretch()
        mode, mtime_ns = status.st_mode & 0o7777, status.st_mtime_ns
        member = Member(name + b"/", FOLDER, mode, mtime_ns, 0, status.st_uid, status.st_gid)
        self._gzip.write(encode(member))
        line = manifest.line(name, manifest.NO_DIGEST, 0, status.st_mtime_ns)
        self._written.append(_FolderLine(line))

    def _took_over(self, run: Run, predecessor: Predecessor) -> bool:
        """Add a run as the predecessor has it, and return whether it does, undamaged."""
        record = predecessor.find(run)
        if record is None or (self.readers.are_shared and not record.is_plain):
            return False
        checkpoint = self._gzip.checkpoint() if predecessor.is_long(record) else None
        try:
            lines = predecessor.lines(record)
            body = self._gzip.begin_stretch()
            for segment in predecessor.body(record):
                self._gzip.copy(segment)
        except Damaged:
            if checkpoint is not None:
                self._gzip.rewind(checkpoint)
            return False
        self.readers.see_unchanged(run.statuses)
        self._written.append(_WrittenRun(record.key, record.is_plain, body, lines))
        return True

    def _add_files(self, files: SourceFiles, names: Sequence[str]) -> None:
        for run, content in read_runs(files, names, self.readers.see):
            body = self._gzip.begin_stretch()
            if isinstance(content, SourceFile):
                lines = self._add_large(content)
            else:
                lines = self._add_small(run, content)
            key = run.key(self._origin.device) if self._origin.began_ns else None
            is_plain, segments = self.readers.are_shared, [deflated(lines)]
            self._written.append(_WrittenRun(key, is_plain, body, segments))

    def _add_small(self, run: Run, contents: list[bytes]) -> bytes:
        """Add files, and return their lines of the manifest."""
        names = [_restorable(f"{run.folder}/{name}") for name in run.names]
        headers = encode_files(names, run.statuses)
        pieces = []
        for header, content in zip(headers, contents, strict=True):
            size = len(content)
            if size <= _ONE_PIECE:
                # Padded with zero bytes to whole blocks.
                pieces.append(header + content.ljust(-(-size // BLOCK) * BLOCK, b"\0"))
            else:
                pieces += header, content, padding(size)
        self._gzip.write_all(pieces)
        lines = [
            manifest.line(name, sha256(content).hexdigest(), len(content), status.st_mtime_ns)
            for name, content, status in zip(names, contents, run.statuses, strict=True)
        ]
        return b"".join(lines)

    def _add_large(self, file: SourceFile) -> bytes:
        """Add a file, and return its line of the manifest."""
        name, status = _restorable(file.name), file.status
        self._gzip.write(*encode_files([name], [status]))
        hasher = sha256()
        for chunk in file.chunks():
            hasher.update(chunk)
            self._gzip.write(chunk)
        self._gzip.write(padding(status.st_size))
        return manifest.line(name, hasher.hexdigest(), status.st_size, status.st_mtime_ns)


def _restorable(name: str) -> bytes:
    """Return the bytes of a name, none too long."""
    encoded = name.encode(manifest.ENCODING, manifest.ERRORS)
    if len(encoded) > MAX_PATH:
        raise BackupUnsafe(name, f"its path of {len(encoded)} bytes cannot be restored")
    return encoded
