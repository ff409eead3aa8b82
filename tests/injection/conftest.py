"""A database with two backups, and calls on it that a power cut ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.sweeps.stages import Stage
from pytest_reedbackup.injection.sweeps.survival import Backup, Scene, Survival
from pytest_reedbackup.injection.sweeps.visiting import Act, Visits
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.views.base import live_tree

T = 1_700_000_000

MakeStage = Callable[[Path], Stage]


@dataclass(frozen=True)
class Swept:
    """One implementation and a database, to be visited at any point of its calls."""

    implementation: TicketImplementation
    scene: Scene
    stage: Stage
    kept: Path

    def creates(self) -> Visits:
        """Return the visits of a create."""
        survival = Survival(self.implementation, self.scene)
        return Visits(
            self.implementation,
            self.stage,
            self._at_its_time(lambda process, base: process.create_backup(base)),
            survival.of_create,
            self.kept,
        )

    def restores(self) -> Visits:
        """Return the visits of a restore to the older backup."""
        survival, older = Survival(self.implementation, self.scene), self.scene.backups[1]
        return Visits(
            self.implementation,
            self.stage,
            self._at_its_time(
                lambda process, base: process.restore_point_in_time(base, older.timestamp)
            ),
            lambda aftermath: survival.of_restore(aftermath, older.tree),
            self.kept,
        )

    def _at_its_time(self, act: Act) -> Act:
        def timed(process: Served, base: Path) -> Answer:
            self.implementation.clock.set(self.scene.now)
            return act(process, base)

        return timed


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[Callable[[str, MakeStage], Swept]]:
    """Prepares an implementation, by its option, for a sweep on the stage that is made."""
    with ExitStack() as running:

        def prepare(option: str, make_stage: MakeStage) -> Swept:
            connection = Connection(option, tmp_path)
            running.callback(connection.close)
            implementation: TicketImplementation = TicketImplementation(connection, "ticket")
            base = tmp_path / "prepared" / ".reed"
            build(DatabaseSpec(tables=2, rows=20, versions=2, indices=1), base)
            backups: list[Backup] = []
            for turn in range(2):
                implementation.clock.set(T + 10 * turn)
                tree = live_tree(base)
                backups.insert(0, Backup(implementation.created(base), tree))
                (base / "tables" / "text" / f"{turn}.bsdiff").write_bytes(b"x" * 300)
            change_everything(base)
            scene = Scene.read(base, backups, now=T + 100)
            return Swept(implementation, scene, make_stage(base), tmp_path / "kept")

        yield prepare
