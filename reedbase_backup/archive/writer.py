"""Write an archive of a database (FORMAT.md, "What we write")."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import IO

from reedbase_backup.archive import manifest
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.limits import MAX_PATH
from reedbase_backup.archive.tar.header import (
    BLOCK,
    END_OF_ARCHIVE,
    FILE,
    FOLDER,
    Member,
    encode,
    padding,
)
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source import Unit, read_settled
from reedbase_backup.disk.source_entries import (
    SPECIAL,
    SourceEntry,
    SourceFile,
    SourceFolder,
    SourceOther,
)
from reedbase_backup.errors import BackupUnsafe

# Up to here, to copy a file's content costs less than to hand it on in three pieces.
_ONE_PIECE = 1 << 14


class ArchiveWriter:
    """Writes the units of a database to an archive file, until `close`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = GzipWriter(file)
        self._manifest: list[bytes] = []
        self.readers = Readers()
        """Who besides the owner may read all that was added."""

    def add(self, unit: Unit) -> bool:
        """Add all of `unit`, read again while a writer keeps changing it.

        Return whether it was there. Raise LockTimeout where it has not
        settled after TABLE_TIMEOUT_SECS, BackupUnsafe for a symlink, FIFO, socket or
        device.
        """
        checkpoint = self._gzip.checkpoint()
        lines = len(self._manifest)

        def forget() -> None:
            self._gzip.rewind(checkpoint)
            del self._manifest[lines:]

        read_settled(unit, self._add_entry, forget)
        return len(self._manifest) > lines

    def finish(self, *, table_count: int) -> int:
        """Add the manifest, end the archive, and return its size in bytes."""
        content = manifest.encode(self._manifest)
        member = Member(manifest.NAME, FILE, size=len(content))
        self._gzip.write(encode(member))
        self._gzip.write(content + padding(len(content)) + END_OF_ARCHIVE)
        return self._gzip.finish(table_count=table_count)

    def close(self) -> None:
        """End what works beside this thread, whether the archive is complete or not."""
        self._gzip.close()

    def _add_entry(self, entry: SourceEntry) -> None:
        if isinstance(entry, SourceOther):
            raise BackupUnsafe(entry.name, SPECIAL)
        if isinstance(entry, SourceFolder):
            self._add_folder(entry)
            return
        for file in entry:
            self._add_file(file)

    def _add_folder(self, folder: SourceFolder) -> None:
        name, status = _restorable(folder.name), folder.status
        self.readers.see(folder.descriptor, status)
        self._gzip.write(_header(name + b"/", FOLDER, status, 0))
        line = manifest.line(name, manifest.NO_DIGEST, 0, status.st_mtime_ns)
        self._manifest.append(line)

    def _add_file(self, file: SourceFile) -> None:
        name, status = _restorable(file.name), file.status
        self.readers.see(file.descriptor, status)
        size = status.st_size
        header = _header(name, FILE, status, size)
        if size <= _ONE_PIECE:
            content = file.content()
            # Padded with zero bytes to whole blocks.
            self._gzip.write(header + content.ljust(-(-size // BLOCK) * BLOCK, b"\0"))
            digest = sha256(content).hexdigest()
        else:
            digest = self._add_chunks(header, file)
        self._manifest.append(manifest.line(name, digest.encode(), size, status.st_mtime_ns))

    def _add_chunks(self, header: bytes, file: SourceFile) -> str:
        """Add a larger file, and return its digest."""
        self._gzip.write(header)
        hasher = sha256()
        for chunk in file.chunks():
            hasher.update(chunk)
            self._gzip.write(chunk)
        self._gzip.write(padding(file.status.st_size))
        return hasher.hexdigest()


def _restorable(name: str) -> bytes:
    """Return the bytes of a name, none too long."""
    encoded = os.fsencode(name)
    if len(encoded) > MAX_PATH:
        raise BackupUnsafe(name, f"its path of {len(encoded)} bytes cannot be restored")
    return encoded


def _header(name: bytes, kind: bytes, status: os.stat_result, size: int) -> bytes:
    mode, mtime_ns = status.st_mode & 0o7777, status.st_mtime_ns
    return encode(Member(name, kind, mode, mtime_ns, size, status.st_uid, status.st_gid))
