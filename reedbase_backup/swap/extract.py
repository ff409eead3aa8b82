"""Writing a backup's entries below a fresh folder, durably."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from reedbase_backup.archive.admission import ArchiveEntry
from reedbase_backup.archive.beside import Threads
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.disk.durable import sync_tree, write_all
from reedbase_backup.errors import IoError, translated
from reedbase_backup.swap.links import LiveLinks, Unlinkable, is_linking_root
from reedbase_backup.swap.ownership import Ownership
from reedbase_backup.swap.plan import Layout
from reedbase_backup.swap.working_folders import WorkingFolder

# O_EXCL and O_NOFOLLOW: what is there already, whoever put it there, is never
# written to.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 18
# Of a folder that only the names of what it holds imply.
_IMPLIED_MODE = 0o755
# Written to any disk in a moment.
_SYNCED_SOON = 16 << 20
# What a file system in user space says that counts no blocks.
_NOT_COUNTED = (errno.ENOSYS, errno.EOPNOTSUPP)


def extract(
    reader: ArchiveReader,
    base_path: str,
    layout: Layout,
    folders: list[WorkingFolder],
    links: LiveLinks,
) -> Extraction:
    """Write all entries below the new/ of `folders`, as `layout` says, but those of `links`.

    Return once the whole archive is verified and, unless `complete` does that in a moment,
    what was written is on disk. Raise IoError where the disk is too full, Unlinkable,
    OSError, and what ArchiveReader raises.
    """
    free = [_free_bytes(os.path.join(base_path, place)) for place in layout.places]
    extraction = Extraction(reader, layout, [folder.new for folder in folders], free, links)
    for entry in reader:
        extraction.write(entry)
    extraction.end()
    return extraction


class Extraction:
    """What was written of an archive, and `complete` adds what is to be linked."""

    def __init__(
        self,
        reader: ArchiveReader,
        layout: Layout,
        roots: list[int],
        free: list[int],
        links: LiveLinks,
    ) -> None:
        self._reader = reader
        self._layout = layout
        self._roots = roots
        self._free = free
        self._links = links
        self._ownership = Ownership()
        self._files: list[str] = []
        """Those written, and not on disk yet."""
        self._size = 0
        """Of all that was written, in bytes."""
        self.folders: dict[str, ArchiveEntry | None] = {}
        """Those made; None for what only other names imply."""
        self.unlinkable_files: list[ArchiveEntry] = []
        """Those written where none is linked."""
        self.is_linkable = True
        """Whether no others were written."""

    @property
    def contents(self) -> Contents:
        """What the archive holds."""
        assert self._reader.contents is not None
        return self._reader.contents

    def write(self, entry: ArchiveEntry) -> None:
        """Write `entry`, the archive's current one, unless it is to be linked."""
        if entry.same_as is not None and entry.same_as in self._links:
            # To be copied from, it has to be there.
            raise Unlinkable({entry.same_as})
        with translated("restore", entry.name):
            self._make_parents(entry.name)
            if entry.is_folder:
                self._make_folder(entry.name)
                self.folders[entry.name] = entry
            elif self._links.offer(entry):
                self._reader.pass_over()
            else:
                self._write_file(entry)
                if is_linking_root(entry.name):
                    self.is_linkable = False
                else:
                    self.unlinkable_files.append(entry)

    def end(self) -> None:
        """Give what was written its times, now that the archive is verified, and sync it.

        For what is to be linked, folders stay open; and what takes no time is left to `complete`.
        """
        self._links.check_times(self.contents.records)
        for name in self._files:
            self._set_time(name)
        if not any(self._links):
            self._finish_folders()
            self._sync([*self._files, *self.folders])
        elif self._size > _SYNCED_SOON:
            # Writers that `complete` keeps waiting are not to wait for this, too.
            self._sync(self._files)
            self._files.clear()

    def complete(self) -> None:
        """Link what is to be linked, durably; the tables must be locked.

        Raise Unlinkable, or OSError.
        """
        if any(self._links):
            self._links.link()
            self._finish_folders()
            # A live file may have been written a moment ago.
            sync = partial(self._sync, [*self._files, *self._links, *self.folders])
            with closing(Threads(most=int(self._links.are_large))) as beside:
                # Who waits for the disk takes no processor.
                synced = beside.take(sync)
                if synced is None:
                    sync()
                try:
                    self._links.read(self.contents.records)
                finally:
                    # A disk says only once that it has failed.
                    if synced is not None:
                        synced.result()

    def _set_time(self, name: str) -> None:
        record = self.contents.records.get(name)
        if record is not None:
            root, path = self._located(name)
            with translated("restore", name):
                times = (record.mtime_ns, record.mtime_ns)
                os.utime(path, ns=times, dir_fd=root, follow_symlinks=False)

    def _finish_folders(self) -> None:
        """Give folders what writing inside would have changed, or been kept from."""
        for name in self.folders:
            self._set_time(name)
        # Last and from the leaves up: some modes let nobody into a folder.
        for name, entry in reversed(self.folders.items()):
            with translated("restore", name):
                self._finish_folder(name, entry)

    def _finish_folder(self, name: str, entry: ArchiveEntry | None) -> None:
        root, path = self._located(name)
        if entry is not None:
            self._ownership.give(entry, lambda uid, gid: os.chown(path, uid, gid, dir_fd=root))
        os.chmod(path, entry.mode if entry else _IMPLIED_MODE, dir_fd=root)

    def _sync(self, names: Sequence[str]) -> None:
        """Make `names` durable, and the top of each staged tree that holds some."""
        below: dict[int, list[str]] = {}
        for name in names:
            number, path = self._layout.locate(name)
            below.setdefault(number, []).append(path)
        for number, paths in below.items():
            sync_tree(self._roots[number], paths)

    def _located(self, name: str) -> tuple[int, str]:
        number, path = self._layout.locate(name)
        return self._roots[number], path

    def _write_file(self, entry: ArchiveEntry) -> None:
        number, path = self._layout.locate(entry.name)
        root = self._roots[number]
        self._reserve(entry, number)
        descriptor = os.open(path, _NEW_FILE, 0o600, dir_fd=root)
        try:
            if entry.same_as is None:
                for chunk in self._reader.chunks():
                    write_all(descriptor, chunk)
            else:
                self._copy(entry.same_as, descriptor)
            self._ownership.give(entry, lambda uid, gid: os.chown(descriptor, uid, gid))
            os.fchmod(descriptor, entry.mode)
        finally:
            os.close(descriptor)
        self._files.append(entry.name)
        self._size += entry.size

    def _reserve(self, entry: ArchiveEntry, number: int) -> None:
        """Refuse at once what the disk has no room for."""
        if entry.size > self._free[number]:
            raise IoError(
                "restore",
                f"{entry.name}: no space left on the disk: it takes {entry.size} bytes where"
                f" {self._free[number]} are free; make room",
            )
        self._free[number] -= entry.size

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
        while parent and parent not in self.folders:
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        for parent in reversed(missing):
            self._make_folder(parent)

    def _make_folder(self, name: str) -> None:
        if name not in self.folders:
            # Open to us while it is filled.
            number, path = self._layout.locate(name)
            os.mkdir(path, 0o700, dir_fd=self._roots[number])
            self.folders[name] = None


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
