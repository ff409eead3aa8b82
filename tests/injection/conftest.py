"""A database with two backups, and calls on it to which something happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.power.disks import Disk, FileSystem, why_not
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.injection.sweeps.failing import Failing
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.scenes import Scene, small_scene
from pytest_reedbackup.injection.sweeps.stages import DiskStage, FolderStage, Stage
from pytest_reedbackup.injection.sweeps.survival import Create, Restore, Swept
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import MakeScene
from pytest_reedbackup.injection.sweeps.visiting import ServedCall, Visits
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import Sweep

MakeStage = Callable[[Path], Stage]


@dataclass(frozen=True)
class Prepared:
    """One implementation and a database, for something to happen at any point of its calls."""

    implementation: TicketImplementation
    scene: Scene
    reserve: Reserve
    folder: Path

    @property
    def create(self) -> Swept:
        return Create(self.implementation, self.scene)

    @property
    def restore(self) -> Swept:
        return Restore(self.implementation, self.scene)

    def visits(self, swept: Swept, make_stage: MakeStage | None = None) -> Visits:
        """Return the visits of a call; in a mere folder without `make_stage`."""
        stage = make_stage(self.scene.base) if make_stage else self._folder
        return Visits(ServedCall(self.reserve, swept), stage, self.folder / "kept")

    def failing(self, swept: Swept) -> Failing:
        """Return the visits of a call whose system calls fail."""
        return Failing(self.reserve, self._folder, swept, self.folder / "kept")

    @property
    def _folder(self) -> FolderStage:
        return FolderStage(self.scene.base, self.folder / "stage")


Prepare = Callable[..., Prepared]
SweepOf = Callable[..., Sweep]


@pytest.fixture
def prepare(
    tmp_path: Path, tool: Callable[[str], str], tests_for_children: None
) -> Iterator[Prepare]:
    """Prepares an implementation, by its option, and a database."""
    tool("strace")
    with ExitStack() as running:

        def prepared(option: str, make_scene: MakeScene = small_scene) -> Prepared:
            connection = Connection(option, tmp_path)
            running.callback(connection.close)
            implementation: TicketImplementation = TicketImplementation(connection, "ticket")
            base = tmp_path / "prepared" / ".reed"
            base.parent.mkdir()
            scene = make_scene(implementation, base)
            reserve = running.enter_context(Reserve(implementation))
            return Prepared(implementation, scene, reserve, tmp_path)

        yield prepared


@pytest.fixture
def sweep_of(
    tmp_path: Path, tool: Callable[[str], str], tests_for_children: None
) -> Iterator[SweepOf]:
    """Sweeps over calls of an implementation in some way, for so many seconds or to the end."""
    tool("strace")
    with ExitStack() as running:

        def sweep(
            option: str,
            secs: float | None,
            way: Callable[[Sweeper, TicketImplementation], None],
            is_enough: bool = False,
        ) -> Sweep:
            connection = Connection(option, tmp_path)
            running.callback(connection.close)
            sweeps: list[Sweep] = []
            until = None if secs is None else time.monotonic() + secs
            kept, record = tmp_path / "kept", sweeps.append
            sweeper = Sweeper(kept, until=until, record=record, ends_when_broken=is_enough)
            try:
                way(sweeper, TicketImplementation(connection, "ticket"))
            except BrokenPromise:
                assert sweeps[0].broken
            return sweeps[0]

        yield sweep


@pytest.fixture
def disk(tool: Callable[[str], str]) -> Iterator[MakeStage]:
    """Makes a disk of ext4 with a database on it; skips where that cannot be."""
    tool("strace")
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    if reason := why_not(FileSystem.EXT4):
        pytest.fail(reason)
    with scratch() as folder:
        yield lambda prepared: DiskStage(prepared, Disk(folder, FileSystem.EXT4))
