"""A disk in memory with a database on it, for what runs in this very process.

While one is in use, all of this process sees it in the place of the real file systems, the
kit's own checks among it: nothing that is to outlive it may be written meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pyfakefs.fake_file import FakeDirectory, FakeFile
from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_filesystem_unittest import Patcher

from pytest_reedbackup.injection.fakes.lacking import Lacking, refuse_processes_and_libraries
from pytest_reedbackup.injection.fakes.lookup import QuickLookup
from pytest_reedbackup.injection.fakes.memory import Entry, StoredTree
from pytest_reedbackup.injection.fakes.stand_in_fcntl import StandInFcntl
from pytest_reedbackup.injection.fakes.stand_ins import StandInOs
from pytest_reedbackup.injection.sweeps.stages import BASE
from pytest_reedbackup.model.failures import MissingCapability
from reedbase_backup.adapter import schemas

CAPABILITY = "pyfakefs"

LARGE = 1 << 30
"""The size of a disk, in bytes, that nothing here fills."""

_PLACE = "/reedbackup-disk"
# Files that this process opens while a disk is in use.
_SPARE_DESCRIPTORS = 64


class FakeDisk:
    """The disk in use."""

    def __init__(self, filesystem: FakeFilesystem, lacking: Lacking) -> None:
        self._filesystem = filesystem
        self._lacking = lacking
        self._mount = filesystem.add_mount_point(_PLACE, LARGE)
        self._change_usage = filesystem.change_disk_usage
        vars(filesystem)["change_disk_usage"] = self._changed
        self.base = Path(_PLACE, BASE)
        """Where the database is; a path of the fake file system."""
        self.most_used = 0
        """How many bytes have been in use at once."""

    @property
    def lacks(self) -> list[str]:
        """Return what was asked for that such a disk does not have."""
        return self._lacking.names

    @property
    def used(self) -> int:
        """Return how many bytes are in use now."""
        used: int = self._mount["used_size"]
        return used

    def resize(self, size: int) -> None:
        """Give the disk so many bytes in all, of which some are in use."""
        self._filesystem.set_disk_usage(size, _PLACE)

    def put(self, tree: StoredTree) -> None:
        """Put the database down, as if it were there for long."""
        fs = self._filesystem
        nodes: dict[str, FakeFile] = {}
        for entry in tree.entries:
            above, _, name = entry.path.rpartition("/")
            node: FakeFile
            if entry.is_folder:
                node = FakeDirectory(name or BASE, 0o700, filesystem=fs)
            else:
                content: Any = entry.content  # a symlink's, too
                node = FakeFile(name, entry.mode, content, filesystem=fs)
            folder = nodes[above] if entry.path else fs.get_object(_PLACE)
            assert isinstance(folder, FakeDirectory)
            folder.add_entry(node)
            nodes[entry.path] = node
        for entry in tree.entries:
            status = nodes[entry.path].stat_result
            status.st_mode = entry.mode
            status.st_atime_ns = status.st_mtime_ns = status.st_ctime_ns = entry.mtime_ns

    def content(self) -> StoredTree:
        """Return the database as it is now."""
        top = self._filesystem.get_object(str(self.base))
        return StoredTree(tuple(_entries(top, "")))

    def _changed(self, change: int, path: Any, device: int) -> None:
        self._change_usage(change, path, device)
        self.most_used = max(self.most_used, self.used)


def _entries(node: FakeFile, path: str) -> Iterator[Entry]:
    content = b"" if isinstance(node, FakeDirectory) else node.byte_contents or b""
    yield Entry(path, node.st_mode, node.stat_result.st_mtime_ns, content)
    if isinstance(node, FakeDirectory):
        for name in sorted(node.entries):
            yield from _entries(node.entries[name], f"{path}/{name}" if path else name)


@contextmanager
def fake_disk(tree: StoredTree, *, is_case_sensitive: bool = True) -> Iterator[FakeDisk]:
    """Have this process see a large disk in memory, with the database `tree` on it.

    Not `is_case_sensitive`, it takes names that differ in case alone for one, as most Macs' do.
    Raise MissingCapability where it sees one already.
    """
    if Patcher.PATCHER is not None:
        raise MissingCapability(CAPABILITY, "it is in use already: the test has the fixture `fs`")
    _read_schemas()
    beyond = _unused_descriptor()
    with pytest.MonkeyPatch.context() as patch, _patching() as patcher:
        filesystem = patcher.fs
        assert filesystem is not None
        # Numbers that no real file has: what reaches the real system with one hits nothing there.
        filesystem.open_files += [None] * (beyond - len(filesystem.open_files))
        filesystem.is_case_sensitive = is_case_sensitive
        QuickLookup.install(filesystem)
        lacking = patcher.fake_modules["os"].lacking
        refuse_processes_and_libraries(lacking, patch)
        disk = FakeDisk(filesystem, lacking)
        disk.put(tree)
        yield disk


@contextmanager
def _patching() -> Iterator[Patcher]:
    stand_ins: dict[str, Any] = {"os": StandInOs, "fcntl": StandInFcntl}
    patcher = Patcher(modules_to_patch=stand_ins)
    patcher.setUp()
    try:
        yield patcher
    finally:
        patcher.tearDown()


@cache
def _read_schemas() -> None:
    """Read, once, what a wrong answer is held against: meanwhile there are no real files."""
    # Only here: it takes a while to import.
    import reedbase_backup.adapter.schemas.complaints  # noqa: F401 - reads files of others

    for name in schemas.names():
        schemas.schema(name)


def _unused_descriptor() -> int:
    """Return a number that no file of this process has, or will have meanwhile."""
    return max(map(int, os.listdir("/dev/fd"))) + _SPARE_DESCRIPTORS
