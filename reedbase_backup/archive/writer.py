"""Write an archive of a database (FORMAT.md, "What we write")."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from typing import IO

from reedbase_backup.archive import manifest
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.limits import MAX_PATH
from reedbase_backup.archive.tar.header import (
    END_OF_ARCHIVE,
    FILE,
    FOLDER,
    Member,
    encode,
    padding,
)
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source import (
    SPECIAL,
    SourceEntry,
    SourceFile,
    SourceOther,
    Unit,
    read_settled,
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
        name, status = os.fsencode(entry.name), entry.status
        self.readers.see(entry.descriptor, status)
        if len(name) > MAX_PATH:
            raise BackupUnsafe(entry.name, f"its path of {len(name)} bytes cannot be restored")
        mode, mtime_ns = status.st_mode & 0o7777, status.st_mtime_ns
        uid, gid = status.st_uid, status.st_gid
        if isinstance(entry, SourceFile):
            size = status.st_size
            header = encode(Member(name, FILE, mode, mtime_ns, size, uid, gid))
            digest = self._add_file(header, size, entry.chunks())
        else:
            size, digest = 0, manifest.NO_DIGEST
            self._gzip.write(encode(Member(name + b"/", FOLDER, mode, mtime_ns, size, uid, gid)))
        self._manifest.append(manifest.line(name, digest, size, mtime_ns))

    def _add_file(self, header: bytes, size: int, chunks: Iterator[bytes]) -> bytes:
        """Add a file, and return its digest."""
        if size <= _ONE_PIECE:
            content = b"".join(chunks)
            self._gzip.write(b"%b%b%b" % (header, content, padding(size)))
            return sha256(content).hexdigest().encode()
        self._gzip.write(header)
        hasher = sha256()
        for chunk in chunks:
            hasher.update(chunk)
            self._gzip.write(chunk)
        self._gzip.write(padding(size))
        return hasher.hexdigest().encode()
