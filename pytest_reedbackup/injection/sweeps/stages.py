"""Where the calls of a sweep are made: on a copy of one database, the same for each point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.injection.power.disks import Disk
from pytest_reedbackup.injection.scratch import scratch

BASE = ".reed"


@dataclass(frozen=True)
class State:
    """One of the databases that something may leave."""

    moment: str
    """Which one it is, where there are several."""
    found: Callable[[], AbstractContextManager[Path]]
    """Gives the database, once; it is at the same path as before."""


class Stage(Protocol):
    """A database that is there afresh for each point."""

    base: Path
    """Where it is while it is used."""

    def used(self) -> AbstractContextManager[Path]:
        """Give a fresh copy of the database, to be used up."""
        ...

    def states(self) -> list[State]:
        """Return what may be left of the copy in use now, each to be looked at after its use."""
        ...


class FolderStage:
    """A copy in a folder: what a process leaves that ends, with all that the system still holds."""

    def __init__(self, prepared: Path, folder: Path) -> None:
        self.base = folder / "used" / BASE
        self._prepared = prepared

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give a fresh copy."""
        remove_tree(self.base.parent)
        self.base.parent.mkdir(parents=True)
        clone_tree(self._prepared, self.base)
        yield self.base

    def states(self) -> list[State]:
        """Return the only one: what is there."""
        return [State("", self._as_it_is)]

    @contextmanager
    def _as_it_is(self) -> Iterator[Path]:
        yield self.base


@contextmanager
def in_memory(prepared: Path) -> Iterator[FolderStage]:
    """Give a stage that is gone afterwards, in memory where there is such a place: it is quick."""
    with scratch() as folder:
        yield FolderStage(prepared, folder)


class DiskStage:
    """A copy on a disk of its own, and what a power cut leaves of it.

    Where not `with_kills`, what a mere kill leaves is passed over: sweeps of kills see that, and
    need no disk.
    """

    def __init__(self, prepared: Path, disk: Disk, *, with_kills: bool = True) -> None:
        self.base = disk.place / BASE
        self._disk = disk
        self._with_kills = with_kills
        with disk.preparing():
            clone_tree(prepared, self.base)

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Mount a fresh copy."""
        with self._disk.used():
            yield self.base

    def states(self) -> list[State]:
        """Return what is on the disk now, and what is there after either of two things more.

        The power may go at once; or when the file system has written its journal, as its timer
        has it do or a sync of anybody's file, so that names are there whose contents are not;
        or when all has been written, which is what a mere kill leaves.
        """
        states = [self._state("power cut at once")]
        self._disk.write_journal()
        states.append(self._state("power cut after the file system's journal was written"))
        if self._with_kills:
            self._disk.write_all()
            states.append(self._state("power cut after all was written"))
        return states

    def _state(self, moment: str) -> State:
        image = self._disk.cut(moment)
        return State(moment, lambda: self._found(image))

    @contextmanager
    def _found(self, image: Path) -> Iterator[Path]:
        with self._disk.powered_again(image):
            yield self.base
