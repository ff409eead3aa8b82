"""Writing a backup's entries below a fresh folder, durably."""

from __future__ import annotations

import errno
import os
import sys

from reedbase_backup.archive import ArchiveReader, Contents
from reedbase_backup.contents import Entry
from reedbase_backup.durable import sync_tree
from reedbase_backup.errors import BackupUnsafe, translated

# O_EXCL and O_NOFOLLOW: what is there already, whoever put it there, is never
# written to.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
# Of a folder that only the names of what it holds imply.
_IMPLIED_MODE = 0o755
# Chown is not ours to do, or the owner is nobody on this system.
_NOT_TO_BE_GIVEN = (errno.EPERM, errno.EINVAL)


def extract(reader: ArchiveReader, target: str) -> Contents:
    """Writes all entries below `target`, an empty folder, and makes them durable.

    Returns what was written, once the whole archive is verified. Raises
    OSError, and what ArchiveReader raises.
    """
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        extraction = _Extraction(reader, root)
        for entry in reader:
            extraction.write(entry)
        assert reader.contents is not None
        extraction.finish(reader.contents)
    finally:
        os.close(root)
    sync_tree(target, extraction.names)
    return reader.contents


class _Extraction:
    def __init__(self, reader: ArchiveReader, root: int) -> None:
        self._reader = reader
        self._root = root
        self._free = _free_bytes(root)
        # As tar does: only root can give files back to their owners.
        self._keeps_owners = os.geteuid() == 0
        self._folders: dict[str, Entry | None] = {}
        self.names: list[str] = []

    def write(self, entry: Entry) -> None:
        with translated("restore", entry.name):
            self._make_parents(entry.name)
            if entry.is_folder:
                self._make_folder(entry.name)
                self._folders[entry.name] = entry
            else:
                self._write_file(entry)

    def finish(self, contents: Contents) -> None:
        """All mtimes and the modes of folders, which writing inside would have changed."""
        for name, record in contents.records.items():
            times = (record.mtime_ns, record.mtime_ns)
            os.utime(name, ns=times, dir_fd=self._root, follow_symlinks=False)
        # Last and from the leaves up: some modes let nobody into a folder.
        for name, entry in reversed(self._folders.items()):
            if entry is not None:
                self._give(name, entry)
            os.chmod(name, entry.mode if entry else _IMPLIED_MODE, dir_fd=self._root)

    def _write_file(self, entry: Entry) -> None:
        if entry.size > self._free:
            raise BackupUnsafe(
                entry.name,
                f"it claims {entry.size} bytes where {self._free} are free on the disk;"
                " make room, or distrust the archive",
            )
        self._free -= entry.size
        descriptor = os.open(entry.name, _NEW_FILE, 0o600, dir_fd=self._root)
        try:
            if entry.same_as is None:
                for chunk in self._reader.chunks():
                    _write_all(descriptor, chunk)
            else:
                self._copy(entry.same_as, descriptor)
            self._give(descriptor, entry)
            os.fchmod(descriptor, entry.mode)
        finally:
            os.close(descriptor)
        self.names.append(entry.name)

    def _give(self, written: int | str, entry: Entry) -> None:
        """Gives a new file or folder to the owner it had, as far as the system allows."""
        if self._keeps_owners:
            try:
                if isinstance(written, int):
                    os.fchown(written, entry.uid, entry.gid)
                else:
                    os.chown(written, entry.uid, entry.gid, dir_fd=self._root)
            except OSError as error:
                # Root of a container, or on a foreign disk: the content matters more.
                if error.errno not in _NOT_TO_BE_GIVEN:
                    raise

    def _copy(self, source: str, target: int) -> None:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._root)
        try:
            while chunk := os.read(descriptor, _CHUNK):
                _write_all(target, chunk)
        finally:
            os.close(descriptor)

    def _make_parents(self, name: str) -> None:
        missing = []
        parent = name.rpartition("/")[0]
        while parent and parent not in self._folders:
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        for parent in reversed(missing):
            self._make_folder(parent)

    def _make_folder(self, name: str) -> None:
        if name not in self._folders:
            # Open to us while it is filled.
            os.mkdir(name, 0o700, dir_fd=self._root)
            self._folders[name] = None
            self.names.append(name)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _free_bytes(descriptor: int) -> int:
    status = os.fstatvfs(descriptor)
    # A file system without a limit, as a tmpfs may be, counts no blocks at all.
    return status.f_bavail * status.f_frsize if status.f_blocks else sys.maxsize
