"""Where calls are made in unkind surroundings: fresh copies of one database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.injection.mounts import file_system_in_memory
from pytest_reedbackup.injection.power.disks import Disk, FileSystem
from pytest_reedbackup.injection.sweeps.stages import BASE, DiskStage


@dataclass(frozen=True)
class InMemory:
    """A copy on a file system of its own, in memory."""

    prepared: Path
    place: Path

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give a fresh copy."""
        with file_system_in_memory(self.place):
            clone_tree(self.prepared, self.place / BASE)
            yield self.place / BASE


@dataclass
class OnDisk:
    """A copy on a disk of ext4, which is made when it is needed."""

    prepared: Path
    folder: Path
    _stage: DiskStage | None = None

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give a fresh copy. Raise MissingCapability where no such disk can be made."""
        if self._stage is None:
            self.folder.mkdir()
            self._stage = DiskStage(self.prepared, Disk(self.folder, FileSystem.EXT4))
        with self._stage.used() as base:
            yield base
