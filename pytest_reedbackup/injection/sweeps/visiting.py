"""A visit: a call on a fresh database, an event at a point, and a verdict on what is left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.implementations.answers import Answer, Refused, value_of
from pytest_reedbackup.injection.sweeps.stages import Stage, State
from pytest_reedbackup.injection.traced.attached import Injection, attached
from pytest_reedbackup.injection.traced.points import CHANGING, Point, changes, points_of
from pytest_reedbackup.injection.traced.served import Served, served
from pytest_reedbackup.injection.traced.strace import NOT_REACHED
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
    process: Served
    """A fresh process of the implementation."""


Judge = Callable[[Aftermath], None]
"""Raises BrokenPromise."""


@dataclass(frozen=True)
class _Call:
    """What came of a call to which something may have happened."""

    answer: Answer | None
    fault: AdapterFault | None
    """Why there is no answer."""
    trace: Sequence[SystemCall]


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
        with self.stage.used() as base:
            call = self._call(None)
            points = points_of(call.trace, str(base.parent.resolve()))
        if call.fault is not None:
            raise call.fault
        if isinstance(call.answer, Refused):
            value_of(call.answer, "an undisturbed call")
        if not points:
            raise MissingCapability("strace", NOT_REACHED, tool=True)
        return points

    def after_reply(self) -> list[PointResult]:
        """Judge each database that may be left when the call has just been answered."""
        return self._visit(_REPLY, None)

    def visit(self, point: Point, effect: str) -> list[PointResult]:
        """Have `effect` happen at `point`, and judge each database that may be left."""
        return self._visit(point, Injection(point.call, point.number, effect))

    def _visit(self, point: Point, injection: Injection | None) -> list[PointResult]:
        with self.stage.used():
            call = self._call(injection)
            if injection is not None and injection.kills and call.answer is not None:
                return [_result(point, PointOutcome.NOT_REACHED, "")]
            states = self.stage.states()
        self.kept.mkdir(parents=True, exist_ok=True)
        return [self._judged(point, call, state) for state in states]

    def _judged(self, point: Point, call: _Call, state: State) -> PointResult:
        kept = self.kept / f"{point.id} {state.moment}".rstrip()
        with state.found() as base, served(self.implementation) as process:
            clone_tree(base, kept)  # as it is now: what judges it makes calls on it
            try:
                self.judge(Aftermath(base, call.answer, process))
            except BrokenPromise as broken:
                return _broken(point, state.moment, broken, _around(call.trace, point), str(kept))
        remove_tree(kept)
        return _result(point, PointOutcome.KEPT, state.moment)

    def _call(self, injection: Injection | None) -> _Call:
        """Make the call in a process of its own."""
        answer: Answer | None = None
        fault: AdapterFault | None = None
        with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
            trace = Path(folder) / "trace"
            with (
                served(self.implementation) as process,
                attached(process.pid, trace, CHANGING, injection),
            ):
                try:
                    answer = self.act(process, self.stage.base)
                except AdapterFault as error:
                    fault = error
            return _Call(answer, fault, list(parsed(trace.read_text(errors="replace"), "/")))


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


def _around(calls: Sequence[SystemCall], point: Point) -> list[str]:
    """Return what changed the disk last before the point, and right after it, a line each."""
    before: list[str] = []
    after: list[str] = []
    same = 0
    for call in calls:
        same += call.name == point.call
        if changes(call):
            (after if point != _REPLY and same >= point.number else before).append(str(call))
    return [*before[-_SHOWN_CALLS:], f"--- {point.id} ---", *after[:_SHOWN_CALLS]]
