"""The sweeps over the surroundings of one call, from the database that it is made on to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_reedbackup.injection.scratch import memory
from pytest_reedbackup.injection.surroundings.barred import read_only_parts
from pytest_reedbackup.injection.surroundings.grounds import InMemory, OnDisk
from pytest_reedbackup.injection.surroundings.limits import QUIET
from pytest_reedbackup.injection.surroundings.ordeals import Hardship, Ordeals, nothing
from pytest_reedbackup.injection.surroundings.placements import ARRANGEMENTS, Placed
from pytest_reedbackup.injection.surroundings.rights import another_user
from pytest_reedbackup.injection.surroundings.scarcities import (
    FILE_SIZE,
    INODES,
    MEMORY,
    OPEN_FILES,
    ROOM,
    ROOM_ON_EXT4,
    Scarcity,
)
from pytest_reedbackup.injection.surroundings.unkind import lacks
from pytest_reedbackup.injection.sweeps.keeping import not_reached
from pytest_reedbackup.injection.sweeps.sampling import in_turn
from pytest_reedbackup.injection.sweeps.stages import FolderStage
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Visit
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.sweep import PointResult


@dataclass(frozen=True)
class Enduring:
    """One call, to be made in any unkind surroundings."""

    sweeping: Sweeping

    def full_disk(self) -> None:
        """Leave less and less room, and fewer and fewer new files."""
        with self._ordeals() as (ordeals, folder):
            prepared = folder / "prepared" / ".reed"
            memory = replace(ordeals, ground=InMemory(prepared, folder / "memory").used)
            disk = replace(ordeals, ground=OnDisk(prepared, folder / "disk").used)
            self._sweep(
                ordeals,
                self._steps(memory, ROOM),
                self._steps(memory, INODES),
                self._steps(disk, ROOM_ON_EXT4),
            )

    def limits(self) -> None:
        """Limit the process: open files, the size of its files, memory."""
        with self._ordeals(tracer=QUIET) as (ordeals, _):
            limits = (OPEN_FILES, FILE_SIZE, MEMORY)
            self._sweep(ordeals, *(self._steps(ordeals, limit) for limit in limits))

    def read_only(self) -> None:
        """Mount read-only what the call may want to write to."""
        with self._ordeals() as (ordeals, _):
            with ordeals.ground() as base:
                parts = list(read_only_parts(base))
            self._sweep(ordeals, ordeals.visits(parts))

    def unkind_file_systems(self) -> None:
        """Take from the file system, one at a time, what the call makes use of."""
        with self._ordeals() as (ordeals, _):
            rows: dict[str, list[Hardship]] = {}
            for lack in lacks(ordeals, must_work=self.sweeping.make_call is not Create):
                rows.setdefault(lack.row, []).append(lack)
            self._sweep(ordeals, *(ordeals.visits(row) for row in rows.values()))

    def placements(self) -> None:
        """Mount parts of the database, for who owns it and is not root.

        What create accepts there, the call must bring back; what it does not accept is no point.
        """
        user = another_user(self.sweeping.implementation, memory())
        with self._ordeals(tracer=user.command) as (ordeals, folder):
            for closed in (folder, folder / "stage"):
                closed.mkdir(exist_ok=True)
                closed.chmod(0o711)
            assert isinstance(ordeals.swept, Restore)
            create = Create(ordeals.swept.implementation, ordeals.swept.scene)
            visits = []
            for number, (name, arrange) in enumerate(ARRANGEMENTS.items(), 1):
                placed = replace(ordeals, ground=Placed(ordeals.ground, arrange, user).used)
                hardship = Hardship(name, nothing, row="placed", number=number, must_work=True)
                accepted = partial(replace(placed, swept=create).stands, hardship)
                judge = partial(_visit_where, accepted, placed, hardship)
                visits.append(Visit(name, "", judge, hardship.row, number))
            self._sweep(ordeals, visits)

    def _steps(self, ordeals: Ordeals, scarcity: Scarcity) -> list[Visit]:
        sweeper = self.sweeping.sweeper
        is_full = sweeper.is_full or bool(sweeper.only)
        return ordeals.visits(scarcity.hardships(ordeals, is_full=is_full))

    def _sweep(self, ordeals: Ordeals, *rows: Sequence[Visit]) -> None:
        self.sweeping.sweeper.sweep(list(in_turn(rows)), ordeals.swept.wholes())

    @contextmanager
    def _ordeals(self, tracer: Sequence[str] = ()) -> Iterator[tuple[Ordeals, Path]]:
        """Give what is swept in a folder, and the folder for other copies."""
        sweeping = replace(self.sweeping, tracer=tracer)
        with sweeping.prepared() as (folder, base, swept, reserve):
            ground = FolderStage(base, folder / "stage").used
            yield Ordeals(reserve, swept, ground, sweeping.sweeper.kept), folder


def _visit_where(
    accepted: Callable[[], bool], ordeals: Ordeals, hardship: Hardship
) -> list[PointResult]:
    return ordeals.visit(hardship) if accepted() else [not_reached(hardship.point, "")]
