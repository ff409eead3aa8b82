"""A name that a call uses, taken by others first: each name in turn, by each thing there may be.

Either it was there before the call, or it comes while the call stands still: then a look at the
name, which found nothing, helps nobody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect_old_or_new, expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import read_tree
from pytest_reedbackup.implementations.answers import Answer, Answered, value_of
from pytest_reedbackup.injection.planting import (
    ANYWHERE,
    NAMING,
    Name,
    Plant,
    names_used,
    plants_for,
)
from pytest_reedbackup.injection.sweeps.halted.calling import Calling
from pytest_reedbackup.injection.sweeps.halted.taking import expect_outside, taken
from pytest_reedbackup.injection.sweeps.halted.windows import windows
from pytest_reedbackup.injection.sweeps.keeping import Keeping, not_reached
from pytest_reedbackup.injection.sweeps.sampling import mixed
from pytest_reedbackup.injection.sweeps.stages import FolderStage, in_memory
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.traced.halting import halt_at, halting
from pytest_reedbackup.injection.traced.points import Point
from pytest_reedbackup.injection.traced.served import Call, Served
from pytest_reedbackup.injection.traced.system_calls import SystemCall, traced
from pytest_reedbackup.model.sweep import PointOutcome, PointResult
from pytest_reedbackup.views.base import below_roots, live_tree
from pytest_reedbackup.views.folders import before_call
from pytest_reedbackup.views.tree import Tree

_LEAST_PATIENCE_SECS = 5.0
_PATIENCE = 50


def patience_secs(undisturbed_secs: float) -> float:
    """Return how long a call is waited for that takes so long undisturbed.

    Who opens a FIFO waits without end; nobody else waits so long for so little.
    """
    return _LEAST_PATIENCE_SECS + _PATIENCE * undisturbed_secs


@dataclass(frozen=True)
class Scene:
    """A base whose backup differs from its live trees in every way."""

    base: Path
    target: int
    """What restores the backup."""
    live: Tree
    """What is there now."""
    backed_up: Tree


ExpectDone = Callable[[Path, Answered, str], None]
"""Holds a base to what a call that succeeded has done."""


@dataclass(frozen=True)
class Planting:
    """A call on a base in which others plant something."""

    implementation: TicketImplementation
    scene: Scene
    call: Call
    expect_done: ExpectDone

    @classmethod
    def in_restore(cls, implementation: TicketImplementation, scene: Scene) -> Planting:
        """Return the planting in a restore."""

        def restore(process: Served, base: Path) -> Answer:
            return process.restore_point_in_time(base, scene.target)

        def expect_done(base: Path, answer: Answered, what: str) -> None:
            expect_same_tree(f"tables/ and indices/, {what}", live_tree(base), scene.backed_up)

        return cls(implementation, scene, restore, expect_done)

    @classmethod
    def in_create(cls, implementation: TicketImplementation, scene: Scene) -> Planting:
        """Return the planting in a create."""

        def expect_done(base: Path, answer: Answered, what: str) -> None:
            archived = below_roots(read_tree(archive_of(base, answer.value.id)))
            expect_same_tree(f"the archive, {what}", archived, below_roots(live_tree(base)))

        return cls(implementation, scene, Served.create_backup, expect_done)

    def under_each_name(self, sweeper: Sweeper) -> None:
        """Plant each thing under each name that the call uses, if others can foresee any.

        Raise as `Sweeper.sweep` does, and MissingCapability where strace is of no use.
        """
        with self._planted(sweeper) as planted:
            if planted.names:
                sweeper.sweep(planted.under_names(), [before_call(self.scene.base)])

    def everywhere(self, sweeper: Sweeper) -> None:
        """Do the same, and plant in the live tree, and while the call stands still."""
        with self._planted(sweeper) as planted:
            visits = mixed([planted.under_names(), planted.in_live(), planted.during()])
            sweeper.sweep(visits, [before_call(self.scene.base)])

    def expect_mended(self, process: Served, base: Path, what: str) -> None:
        """Hold the next calls, with what was planted gone, to find one tree or the other."""
        value_of(process.list_backups(base), f"list_backups after a call {what}")
        value_of(process.create_backup(base), f"create_backup after a call {what}")
        told = f"tables/ and indices/ after a call {what}, and the next calls without it"
        expect_old_or_new(told, live_tree(base), self.scene.live, self.scene.backed_up)

    @contextmanager
    def _planted(self, sweeper: Sweeper) -> Iterator[_Planted]:
        took_secs: list[float] = []

        def act(process: Served, base: Path) -> None:
            began = time.monotonic()
            value_of(self.call(process, base), "an undisturbed call")
            took_secs.append(time.monotonic() - began)

        def trace(base: Path) -> list[SystemCall]:
            return traced(self.implementation, NAMING, base, partial(act, base=base))

        with in_memory(self.scene.base) as stage:
            names = names_used(self.implementation.clock, twice(stage.used), trace)
            with Calling(self.implementation, patience_secs(min(took_secs))) as calling:
                yield _Planted(self, calling, stage, names, Keeping(sweeper.kept))


def twice(used: Callable[[], AbstractContextManager[Path]]) -> Iterator[Path]:
    """Give a fresh base twice, for a name that both times is the same to be foreseen."""
    for _ in range(2):
        with used() as base:
            yield base


@dataclass
class _Planted:
    """The visits of a planting."""

    planting: Planting
    calling: Calling
    stage: FolderStage
    names: Sequence[Name]
    keeping: Keeping

    def under_names(self) -> list[Visit]:
        """Return the visits with each thing under each name that the call uses, before it."""
        return mixed([self._before(name, plants_for(name), "before") for name in self.names])

    def in_live(self) -> list[Visit]:
        """Return the visits with each thing in the place of each that is in the live tree."""
        paths = sorted(self.planting.scene.live.entries)
        names = [Name(f"{self.stage.base.name}/{path}", frozenset(), frozenset()) for path in paths]
        return mixed([self._before(name, ANYWHERE, "live") for name in names])

    def during(self) -> list[Visit]:
        """Return the visits with each thing under each name that is free when the call halts."""
        moments = windows(self.calling.process, self.stage, self.planting.call, self.names)
        return mixed([self._at(point, name) for point, name in moments])

    def _before(self, name: Name, plants: Mapping[str, Plant], row: str) -> list[Visit]:
        return [
            self._visit(f"{name.path} {kind}", name, row, partial(self._visited, name, kind, plant))
            for kind, plant in plants.items()
        ]

    def _at(self, point: Point, name: Name) -> list[Visit]:
        return [
            self._visit(
                f"{point.id} {name.path} {kind}",
                name,
                "during",
                partial(self._halted, point, name, kind, plant),
            )
            for kind, plant in ANYWHERE.items()
        ]

    def _visit(
        self, named: str, name: Name, row: str, judge: Callable[[str], Sequence[PointResult]]
    ) -> Visit:
        return Visit(named, name.path, partial(judge, named), row)

    def _visited(self, name: Name, kind: str, plant: Plant, named: str) -> Sequence[PointResult]:
        what = f"with {kind} under the name {name.path}"
        with self.stage.used() as base:
            process = self.calling.process
            with taken(base, process, name, plant) as (outside, before):
                live = live_tree(base)

                def check() -> None:
                    answer = self.calling.answered(what, partial(self.planting.call, process, base))
                    expect_outside(outside.folder, before, what)
                    if isinstance(answer, Answered):
                        self.planting.expect_done(base, answer, what)
                    else:
                        expect_same_tree(f"tables/ and indices/, {what}", live_tree(base), live)

                return [self.keeping.judged(named, name.path, base, check)]

    def _halted(
        self, point: Point, name: Name, kind: str, plant: Plant, named: str
    ) -> Sequence[PointResult]:
        what = f"with {kind} that came under the name {name.path} after {point.id}"
        with self.stage.used() as base:
            process = self.calling.process
            call = partial(self.planting.call, process, base)
            with halting(process, call, halt_at(point)) as halted:
                is_free = halted.halts() and not any(
                    os.path.lexists(place)
                    for place in name.places(base, process.pid, process.implementation.clock)
                )
                if not is_free:
                    return [not_reached(named, name.path)]
                with taken(base, process, name, plant) as (outside, before):

                    def check() -> None:
                        answer = self.calling.answered(what, halted.answer)
                        expect_outside(outside.folder, before, what)
                        if isinstance(answer, Answered):
                            self.planting.expect_done(base, answer, what)

                    trace_of = partial(halted.around, what, base.parent)
                    result = self.keeping.judged(named, name.path, base, check, trace_of)
            if result.outcome is PointOutcome.KEPT:
                result = self.keeping.judged(
                    named,
                    name.path,
                    base,
                    lambda: self.planting.expect_mended(self.calling.process, base, what),
                )
            return [result]
