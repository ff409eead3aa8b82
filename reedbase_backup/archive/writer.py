"""Write an archive of a database (FORMAT.md, "What we write")."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import IO

from reedbase_backup.archive import manifest, tar_header
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.limits import MAX_PATH
from reedbase_backup.archive.manifest import Record
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


class ArchiveWriter:
    """Writes the units of a database to an archive file."""

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
        member = tar_header.Member(manifest.NAME, tar_header.FILE, size=len(content))
        self._gzip.write(tar_header.encode(member))
        self._gzip.write(content + tar_header.padding(len(content)) + tar_header.END_OF_ARCHIVE)
        return self._gzip.finish(table_count=table_count)

    def _add_entry(self, entry: SourceEntry) -> None:
        if isinstance(entry, SourceOther):
            raise BackupUnsafe(entry.name, SPECIAL)
        name, status = os.fsencode(entry.name), entry.status
        self.readers.see(entry.descriptor, status)
        if len(name) > MAX_PATH:
            raise BackupUnsafe(entry.name, f"its path of {len(name)} bytes cannot be restored")
        is_file = isinstance(entry, SourceFile)
        member = tar_header.Member(
            name=name if is_file else name + b"/",
            kind=tar_header.FILE if is_file else tar_header.FOLDER,
            mode=status.st_mode & 0o7777,
            mtime_ns=status.st_mtime_ns,
            size=status.st_size if is_file else 0,
            uid=status.st_uid,
            gid=status.st_gid,
        )
        self._gzip.write(tar_header.encode(member))
        digest = manifest.NO_DIGEST
        if isinstance(entry, SourceFile):
            hasher = sha256()
            for chunk in entry.chunks():
                hasher.update(chunk)
                self._gzip.write(chunk)
            self._gzip.write(tar_header.padding(member.size))
            digest = hasher.hexdigest().encode()
        self._manifest.append(Record(digest, member.size, member.mtime_ns).line(name))
