"""Creates beside writers, each stopped at every one of its steps while the other works.

A writer that finds a table locked lets it be: it would wait. So a create that holds the lock for
as long as it reads sees each table as it was, wherever it is stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import read_files
from pytest_reedbackup.implementations.answers import Answered, refusal_of
from pytest_reedbackup.injection.sweeps.halted.alone import Alone, alone
from pytest_reedbackup.injection.sweeps.keeping import Keeping, not_reached
from pytest_reedbackup.injection.sweeps.sampling import mixed
from pytest_reedbackup.injection.sweeps.stages import FolderStage, in_memory
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.together import BUSY
from pytest_reedbackup.injection.traced.attached import Injection
from pytest_reedbackup.injection.traced.halting import EACH_CALL, Halting, halt_at, halting
from pytest_reedbackup.injection.traced.points import Point
from pytest_reedbackup.injection.traced.served import Served, served
from pytest_reedbackup.injection.writers import HALF_A_TABLE, STEPS, steps_of_a_write, torn
from pytest_reedbackup.model.sweep import PointResult
from pytest_reedbackup.views.folders import before_call

_LEAST_PATIENCE_SECS = 0.15
_PATIENCE = 5
"""How many times as long as an undisturbed create one is waited for that may wait for a lock."""

_WRITES = 24
"""About how often versions are written in one create: each makes the tables larger."""

_VisitAt = Callable[[str, Point], Sequence[PointResult]]


def sweep_hot(
    sweeper: Sweeper, implementation: TicketImplementation, prepared: Path, written: Sequence[str]
) -> None:
    """Have writers write to the tables `written` at every point of a create, and halt at theirs.

    Raise as `Sweeper.sweep` does, and MissingCapability where strace is of no use.
    """
    with in_memory(prepared) as stage, served(implementation) as process:
        create = alone(process, stage, Served.create_backup, "create")
        hot = _Hot(process, stage, written, Keeping(sweeper.kept), create)
        sweeper.sweep(hot.visits(), [before_call(prepared)])


def expect_whole(base: Path, backup_id: str, written: Sequence[str], what: str) -> None:
    """Raise BrokenPromise unless each of these tables is of one version in the archive."""
    for table in written:
        found = torn(read_files(archive_of(base, backup_id), f"tables/{table}"))
        expect_that(
            not found,
            f"{what}: table {table} in the archive {backup_id}",
            expected="as it was before a write or after it",
            found="; ".join(found),
        )


@dataclass(frozen=True)
class _Hot:
    """A create of a database with tables that are written to."""

    process: Served
    stage: FolderStage
    written: Sequence[str]
    keeping: Keeping
    alone: Alone

    @property
    def patience_secs(self) -> float:
        """How long a create is waited for that may wait for a lock."""
        return max(_LEAST_PATIENCE_SECS, _PATIENCE * self.alone.secs)

    def visits(self) -> list[Visit]:
        """Return all visits: of each point of a create, and of each step of a write."""
        every = max(1, len(self.alone.points) // _WRITES)
        often = Visit("all calls", "tables", partial(self._write_often, every), "all calls")
        points = list(self.alone.evenly())
        whole = [self._at(*point, "", self._written) for point in points]
        half = [self._at(*point, " amidst", self._half) for point in points]
        steps = [self._step(table, n) for n in range(len(STEPS)) for table in self.written]
        return [often, *mixed([whole, steps, half])]

    def _at(self, point: Point, place: int, how: str, visit: _VisitAt) -> Visit:
        named = f"{point.id}{how}"
        return Visit(named, point.path, partial(visit, named, point), f"calls{how}", place)

    def _step(self, table: str, number: int) -> Visit:
        judge = partial(self._beside_writer, table, number)
        return Visit(
            f"{table}#{number}", f"tables/{table}", judge, f"writes to {table}", number + 1
        )

    def _write_often(self, every: int) -> Sequence[PointResult]:
        """Stop the create at all its calls, and write whole versions at each of `every`."""
        with self._halting(EACH_CALL) as (base, create):
            number = 0
            while create.halts():
                number += 1
                if number % every == 0:
                    self._finish(self._begun(base))
            return self._judged("all calls", "tables", base, create, "a write at many of its calls")

    def _written(self, named: str, point: Point) -> Sequence[PointResult]:
        """Write a whole version of each table whose lock is free while the create stands still."""
        with self._halting(halt_at(point)) as (base, create):
            if not create.halts():
                return [not_reached(named, point.path)]
            self._finish(self._begun(base))
            return self._judged(named, point.path, base, create, f"a write after {point.id}")

    def _half(self, named: str, point: Point) -> Sequence[PointResult]:
        """Write half a version meanwhile, and the rest once the create has ended or waits."""
        with self._halting(halt_at(point)) as (base, create):
            if not create.halts():
                return [not_reached(named, point.path)]
            begun = self._begun(base, STEPS.index(HALF_A_TABLE))
            if begun:
                create.ends_or_waits(os.getpid(), self.patience_secs)
                self._finish(begun)
            what = f"half a write after {point.id}"
            return self._judged(named, point.path, base, create, what)

    def _beside_writer(self, table: str, number: int) -> Sequence[PointResult]:
        """Have a writer halt at a step until the create has ended or waits."""
        with self.stage.used() as base:
            writing = steps_of_a_write(base / "tables" / table)
            for _ in range(number + 1):
                next(writing)
            with self._create(base, None) as create:
                create.ends_or_waits(os.getpid(), self.patience_secs)
                self._finish([writing])
                what = f"a write that halts after its step {STEPS[number]!r}"
                return self._judged(f"{table}#{number}", f"tables/{table}", base, create, what)

    @contextmanager
    def _halting(self, injection: Injection) -> Iterator[tuple[Path, Halting]]:
        with (
            self.stage.used() as base,
            self._create(base, injection) as create,
        ):
            yield base, create

    def _create(self, base: Path, injection: Injection | None) -> AbstractContextManager[Halting]:
        return halting(self.process, partial(self.process.create_backup, base), injection)

    def _begun(self, base: Path, step: int = len(STEPS) - 1) -> list[Iterator[str]]:
        """Begin to write to each table whose lock is free, up to a step."""
        begun = []
        for table in self.written:
            writing = steps_of_a_write(base / "tables" / table, waits=False)
            with suppress(BlockingIOError):
                for _ in range(step + 1):
                    next(writing)
                begun.append(writing)
        return begun

    def _finish(self, begun: Sequence[Iterator[str]]) -> None:
        for writing in begun:
            for _ in writing:
                pass

    def _judged(
        self, named: str, about: str, base: Path, create: Halting, what: str
    ) -> Sequence[PointResult]:
        answer = create.answer()

        def check() -> None:
            if isinstance(answer, Answered):
                expect_whole(base, answer.value.id, self.written, f"a backup with {what}")
            else:
                refusal_of(answer, f"a backup with {what}", BUSY)

        trace = partial(create.around, what, base.parent)
        return [self.keeping.judged(named, about, base, check, trace)]
