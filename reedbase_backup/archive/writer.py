"""Write an archive of a database (FORMAT.md, "What we write")."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import IO

from reedbase_backup.archive import forked, manifest
from reedbase_backup.archive.deflating import stored
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.members import FolderLine, WrittenRun, write_folder, write_run
from reedbase_backup.archive.packed import Packed, pack, write_packed
from reedbase_backup.archive.reuse import index
from reedbase_backup.archive.reuse.index import Record
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.predecessor import Damaged, Predecessor
from reedbase_backup.archive.reuse.runs import Run, parts_of, read_runs, runs_of
from reedbase_backup.archive.tar.header import END_OF_ARCHIVE, FILE, Member, encode, padding
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source import Unit, read_settled
from reedbase_backup.disk.source_entries import (
    SPECIAL,
    SourceEntry,
    SourceFiles,
    SourceFolder,
    SourceOther,
)
from reedbase_backup.errors import BackupUnsafe

# Of so many files, what another process does makes up for what it costs to have one.
_MANY = 2000


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
        self._written: list[FolderLine | WrittenRun] = []
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
            if isinstance(written, FolderLine):
                size += len(written.line)
            else:
                size += sum(segment.span.size for segment in written.lines)
        self._gzip.write(encode(Member(manifest.NAME, FILE, size=size)) + manifest.TITLE)
        for written in self._written:
            if isinstance(written, FolderLine):
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
            self.readers.see(entry.descriptor, entry.status)
            self._written.append(write_folder(self._gzip, entry))
        elif self._predecessor is None:
            self._add_new(entry)
        else:
            for run in runs_of(entry):
                if not self._took_over(run, self._predecessor):
                    self._add_files(entry, run.names)

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
        self._written.append(WrittenRun(record.key, record.is_plain, body, lines))
        return True

    def _add_new(self, files: SourceFiles) -> None:
        """Add these, of many some as another process has packed them meanwhile."""
        if len(files.names) < _MANY:
            self._add_files(files, files.names)
            return
        parts = parts_of(files.names)
        for start in range(0, len(parts), forked.MOST_TURNS):
            self._add_parts(files, parts[start : start + forked.MOST_TURNS])

    def _add_parts(self, files: SourceFiles, parts: Sequence[Sequence[str]]) -> None:
        def packed(number: int) -> Packed | None:
            return pack(files, parts[number], self._origin, self.readers)

        # As long as there are threads, nothing is forked.
        self._gzip.be_alone()
        with closing(forked.shared(packed, len(parts))) as results:
            for names, result in zip(parts, results, strict=True):
                if result is None:
                    self._add_files(files, names)
                else:
                    self._written += write_packed(self._gzip, result, files, self.readers)

    def _add_files(self, files: SourceFiles, names: Sequence[str]) -> None:
        for run, content in read_runs(files, names, self.readers.see):
            written = write_run(self._gzip, run, content, self._origin, self.readers)
            self._written.append(written)
