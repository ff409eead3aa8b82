"""A visit: a call on a fresh database, an event at a point, and a verdict on what is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.implementations.answers import Answer, Refused, value_of
from pytest_reedbackup.injection.sweeps.stages import Stage
from pytest_reedbackup.injection.traced.attached import Injection, attached
from pytest_reedbackup.injection.traced.points import CHANGING, Point, changes, points_of
from pytest_reedbackup.injection.traced.served import Served, served
from pytest_reedbackup.injection.traced.strace import NOT_REACHED, working_strace
from pytest_reedbackup.injection.traced.system_calls import SystemCall, parsed
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

_SHOWN_CALLS = 6
"""How many system calls before and after a broken point are shown."""

_REPLY = Point("reply", 1, "")

Act = Callable[[Served, Path], Answer]


@dataclass(frozen=True)
class Aftermath:
    """A call to which something happened, and one of the databases that it may have left."""

    base: Path
    answer: Answer | None
    """None where the process ended before it answered."""
    fault: AdapterFault | None
    process: Served
    """A fresh process of the implementation."""


Judge = Callable[[Aftermath], None]
"""Raises BrokenPromise."""


@dataclass(frozen=True)
class Visits:
    """All that the visits of one sweep share."""

    implementation: TicketImplementation
    stage: Stage
    act: Act
    judge: Judge
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""

    def points(self) -> list[Point]:
        """Return the points of an undisturbed call.

        Raise MissingCapability where nothing of it is seen, BrokenPromise where it is refused.
        """
        with self.stage.used() as base, self._traced(None) as (answer, fault, calls):
            if fault is not None:
                raise fault
            if isinstance(answer, Refused):
                value_of(answer, "an undisturbed call")
            points = points_of(calls, str(base.parent.resolve()))
        if not points:
            raise MissingCapability("strace", NOT_REACHED, tool=True)
        return points

    def after_reply(self) -> list[PointResult]:
        """Judge each database that may be left when the call has just been answered."""
        return self._visit(_REPLY, None)

    def visit(self, point: Point, effect: str, *, for_good: bool = False) -> list[PointResult]:
        """Have `effect` happen at `point`, and judge each database that may be left."""
        return self._visit(point, Injection(point.call, point.number, effect, for_good))

    def _visit(self, point: Point, injection: Injection | None) -> list[PointResult]:
        with self.stage.used():
            with self._traced(injection) as (answer, fault, calls):
                pass
            states = self.stage.states()
        if injection is not None and injection.kills and answer is not None:
            for state in states:  # they are on the disk until they are looked at
                with state.found():
                    pass
            return [_result(point, PointOutcome.NOT_REACHED, "")]
        results = []
        self.kept.mkdir(parents=True, exist_ok=True)
        for state in states:
            kept = self.kept / f"{point.id} {state.moment}".rstrip()
            with state.found() as base, served(self.implementation) as process:
                clone_tree(base, kept)  # as it is now: what judges it makes calls on it
                try:
                    self.judge(Aftermath(base, answer, fault, process))
                except BrokenPromise as broken:
                    trace = _around(calls, point)
                    results.append(_broken(point, state.moment, broken, trace, str(kept)))
                else:
                    remove_tree(kept)
                    results.append(_result(point, PointOutcome.KEPT, state.moment))
        return results

    @contextmanager
    def _traced(
        self, injection: Injection | None
    ) -> Iterator[tuple[Answer | None, AdapterFault | None, list[SystemCall]]]:
        """Make the call in a process of its own, and give what came of it."""
        program = working_strace()
        answer: Answer | None = None
        fault: AdapterFault | None = None
        with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
            trace = Path(folder) / "trace"
            with (
                served(self.implementation) as process,
                attached(program, process.pid, trace, CHANGING, injection),
            ):
                try:
                    answer = self.act(process, self.stage.base)
                except AdapterFault as error:
                    fault = error
            calls = list(parsed(trace.read_text(errors="replace"), "/"))
        yield answer, fault, calls


def _result(point: Point, outcome: PointOutcome, moment: str) -> PointResult:
    return PointResult(point=point.id, path=point.path, outcome=outcome, moment=moment)


def _broken(
    point: Point, moment: str, broken: BrokenPromise, trace: list[str], kept: str
) -> PointResult:
    return PointResult(
        point=point.id,
        path=point.path,
        outcome=PointOutcome.BROKEN,
        moment=moment,
        detail=broken.what,
        expected=broken.expected,
        found=broken.found,
        trace=trace,
        kept=kept,
    )


def _around(calls: list[SystemCall], point: Point) -> list[str]:
    """Return what changed the disk last before the point, and right after it, a line each."""
    before: list[str] = []
    after: list[str] = []
    same = 0
    for call in calls:
        same += call.name == point.call
        if changes(call):
            (after if point != _REPLY and same >= point.number else before).append(str(call))
    return [*before[-_SHOWN_CALLS:], f"--- {point.id} ---", *after[:_SHOWN_CALLS]]
