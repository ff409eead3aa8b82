"""Databases on a disk in memory, for users' own tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.injection.fakes.disk import FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree


class FakeDatabases:
    """Puts a database on a disk in memory, with room for so many bytes more."""

    def __init__(self, database: Path) -> None:
        """Put down `database` where no other is asked for."""
        self._database = database
        self._disk: FakeDisk | None = None

    @contextmanager
    def __call__(self, *, free: int, database: Path | None = None) -> Iterator[Path]:
        """Give the path of a copy of `database`, by default a small one, on a new disk.

        For as long as the block runs, all of this process has the disk in memory in the place
        of its real files. Processes and libraries that open files by themselves do not see it:
        they are refused with an OSError that says so. Raise MissingCapability within another
        fake file system.
        """
        tree = StoredTree.read(database or self._database)
        with fake_disk(tree) as self._disk:
            self._disk.resize(tree.size + free)
            try:
                yield self._disk.base
            except Exception as error:
                for name in self._disk.lacks:
                    error.add_note(f"{name} is not to be had on a disk in memory")
                raise
            finally:
                self._disk = None

    def make_room(self, free: int) -> None:
        """Have so many bytes free from now on, within the block."""
        assert self._disk is not None, "make_room is for within the block"
        self._disk.resize(self._disk.used + free)
