"""Writing a backup's entries below a fresh folder, durably."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable

from reedbase_backup.archive.admission import ArchiveEntry
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.disk.durable import sync_tree, write_all
from reedbase_backup.errors import IoError, translated
from reedbase_backup.swap.plan import Layout
from reedbase_backup.swap.working_folders import WorkingFolder

# O_EXCL and O_NOFOLLOW: what is there already, whoever put it there, is never
# written to.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20
# Of a folder that only the names of what it holds imply.
_IMPLIED_MODE = 0o755
# Chown is not ours to do, or the owner is nobody on this system.
_NOT_TO_BE_GIVEN = (errno.EPERM, errno.EINVAL)
# What a file system in user space says that counts no blocks.
_NOT_COUNTED = (errno.ENOSYS, errno.EOPNOTSUPP)


def extract(
    reader: ArchiveReader, base_path: str, layout: Layout, folders: list[WorkingFolder]
) -> Contents:
    """Write all entries below the new/ of `folders`, as `layout` says, and make them durable.

    Return what was written, once the whole archive is verified. Raise IoError
    where the disk is too full, OSError, and what ArchiveReader raises.
    """
    free = [_free_bytes(os.path.join(base_path, place)) for place in layout.places]
    extraction = _Extraction(reader, layout, [folder.new for folder in folders], free)
    for entry in reader:
        extraction.write(entry)
    assert reader.contents is not None
    extraction.finish(reader.contents)
    for root, names in zip(extraction.roots, extraction.names, strict=True):
        sync_tree(root, names)
    return reader.contents


class _Extraction:
    def __init__(
        self, reader: ArchiveReader, layout: Layout, roots: list[int], free: list[int]
    ) -> None:
        self._reader = reader
        self._layout = layout
        self.roots = roots
        self.names: list[list[str]] = [[] for _ in roots]
        """What was written below each of `roots`."""
        self._free = free
        # As tar does: only root can give files back to their owners.
        self._is_root = os.geteuid() == 0
        self._groups = {os.getegid(), *os.getgroups()}
        self._folders: dict[str, ArchiveEntry | None] = {}

    def write(self, entry: ArchiveEntry) -> None:
        with translated("restore", entry.name):
            self._make_parents(entry.name)
            if entry.is_folder:
                self._make_folder(entry.name)
                self._folders[entry.name] = entry
            else:
                self._write_file(entry)

    def finish(self, contents: Contents) -> None:
        """Set all mtimes and the modes of folders, which writing inside would have changed."""
        for name, record in contents.records.items():
            times = (record.mtime_ns, record.mtime_ns)
            root, path = self._located(name)
            with translated("restore", name):
                os.utime(path, ns=times, dir_fd=root, follow_symlinks=False)
        # Last and from the leaves up: some modes let nobody into a folder.
        for name, entry in reversed(self._folders.items()):
            with translated("restore", name):
                self._finish_folder(name, entry)

    def _finish_folder(self, name: str, entry: ArchiveEntry | None) -> None:
        root, path = self._located(name)
        if entry is not None:
            self._give(entry, lambda uid, gid: os.chown(path, uid, gid, dir_fd=root))
        os.chmod(path, entry.mode if entry else _IMPLIED_MODE, dir_fd=root)

    def _located(self, name: str) -> tuple[int, str]:
        number, path = self._layout.locate(name)
        return self.roots[number], path

    def _write_file(self, entry: ArchiveEntry) -> None:
        number, path = self._layout.locate(entry.name)
        root = self.roots[number]
        self._reserve(entry, number)
        descriptor = os.open(path, _NEW_FILE, 0o600, dir_fd=root)
        try:
            if entry.same_as is None:
                for chunk in self._reader.chunks():
                    write_all(descriptor, chunk)
            else:
                self._copy(entry.same_as, descriptor)
            self._give(entry, lambda uid, gid: os.chown(descriptor, uid, gid))
            os.fchmod(descriptor, entry.mode)
        finally:
            os.close(descriptor)
        self.names[number].append(path)

    def _reserve(self, entry: ArchiveEntry, number: int) -> None:
        """Refuse at once what the disk has no room for."""
        if entry.size > self._free[number]:
            raise IoError(
                "restore",
                f"{entry.name}: no space left on the disk: it takes {entry.size} bytes where"
                f" {self._free[number]} are free; make room",
            )
        self._free[number] -= entry.size

    def _give(self, entry: ArchiveEntry, chown: Callable[[int, int], None]) -> None:
        """Give a new file or folder to the owner it had, as far as the system allows.

        Only root can give to users; but to a group of theirs, all can, and a
        database that a group shares needs it.
        """
        try:
            if self._is_root:
                chown(entry.uid, entry.gid)
            elif entry.gid in self._groups:
                chown(-1, entry.gid)
        except OSError as error:
            # Root of a container, or on a foreign disk: the content matters more.
            if error.errno not in _NOT_TO_BE_GIVEN:
                raise

    def _copy(self, source: str, target: int) -> None:
        root, path = self._located(source)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
        try:
            while chunk := os.read(descriptor, _CHUNK):
                write_all(target, chunk)
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
            number, path = self._layout.locate(name)
            os.mkdir(path, 0o700, dir_fd=self.roots[number])
            self._folders[name] = None
            self.names[number].append(path)


def _free_bytes(path: str) -> int:
    # By path, as no in-memory file system (pyfakefs) tells it of a descriptor. Should
    # another folder be there by now, the worst is a refusal too many or one too late.
    try:
        total, _, free = shutil.disk_usage(path)
    except OSError as error:
        if error.errno not in _NOT_COUNTED:
            raise
        return sys.maxsize
    # A file system without a limit, as a tmpfs may be, counts no blocks at all.
    return free if total else sys.maxsize
