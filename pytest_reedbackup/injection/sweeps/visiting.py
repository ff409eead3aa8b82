"""A visit: a call on a fresh database, a signal at a point, and a verdict on what is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.injection.sweeps.disturbed import Disturbed, disturbed
from pytest_reedbackup.injection.sweeps.keeping import judged_by_calls, keep, not_reached, stood
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.stages import Stage, State
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Swept
from pytest_reedbackup.injection.traced.attached import Injection
from pytest_reedbackup.injection.traced.failures import Failure
from pytest_reedbackup.injection.traced.points import (
    CHANGING,
    Point,
    changing_points,
    inside_of,
    require_seen,
)
from pytest_reedbackup.model.adapter_faults import Crashed
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.model.sweep import PointResult

KILL = "SIGKILL"

REPLY = Point("reply", 1, "")
"""The moment when the call has just been answered."""


class Disturbable(Protocol):
    """What something happens to, and what is promised of what it leaves."""

    def disturbed(self, base: Path, injection: Injection | None) -> Disturbed:
        """Have a new process change the database at `base`, and inject something into it."""
        ...

    def expect_survived(self, base: Path, call: Disturbed) -> None:
        """Raise BrokenPromise unless what such a process has left is as promised."""
        ...


@dataclass(frozen=True)
class ServedCall:
    """A call of an implementation."""

    reserve: Reserve
    swept: Swept

    def disturbed(self, base: Path, injection: Injection | None) -> Disturbed:
        """Make the call in a process of its own."""
        with self.reserve.process() as process:
            return disturbed(
                process.pid, lambda: self.swept.make(process, base), CHANGING, injection
            )

    def expect_survived(self, base: Path, call: Disturbed) -> None:
        """Hold what it left to the contract, through a fresh process."""
        if KILL not in call.signals:
            _expect_true_exit(call)
        with self.reserve.process() as process:
            self.swept.expect_survived(Aftermath(base, call.answer, process))


@dataclass(frozen=True)
class Visits:
    """All that the visits of one sweep share."""

    call: Disturbable
    stage: Stage
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""

    def points(self) -> list[Point]:
        """Return the points of an undisturbed call.

        Raise MissingCapability where nothing of it is seen, BrokenPromise where it is refused.
        """
        with self.stage.used() as base:
            call = self._call(None)
            inside = str(base.parent.resolve())
            points = changing_points(call.trace, inside)
        if not points and any(inside_of(each, inside) for each in call.trace):
            points = [REPLY]  # it changes nothing, but what it answers is to be true all the same
        call.expect_success()
        return require_seen(points)

    def after_reply(self) -> list[PointResult]:
        """Judge each database that may be left when the call has just been answered."""
        with self.stage.used():
            call = self._call(None)
            states = self.stage.states()
        call.expect_success()
        return [self._judged(REPLY, REPLY.id, call, state) for state in states]

    def visit(self, point: Point, signal: str = KILL) -> list[PointResult]:
        """Send a signal at `point`, and judge each database that may be left."""
        if point == REPLY:
            return self.after_reply()
        name = named(point, signal)
        if point.thread:
            return [not_reached(name, point.path)]
        with self.stage.used():
            call = self._call(Injection.of_signal(point, signal))
            if signal not in call.signals:
                return [not_reached(name, point.path)]
            states = self.stage.states()
        return [self._judged(point, name, call, state) for state in states]

    def after_failure(self, failure: Failure, *, successes_only: bool = True) -> list[PointResult]:
        """Judge what may be left right after the answer, where a failure did not hinder success.

        Not `successes_only`: where it did, too.
        """
        with self.stage.used():
            call = self._call(failure.injection)
            if not call.injected():
                return [not_reached(failure.id, failure.point.path)]
            if successes_only and not isinstance(call.answer, Answered):
                # What is promised then is seen without a power cut.
                return [stood(failure.id, failure.point.path)]
            states = self.stage.states()
        return [self._judged(failure.point, failure.id, call, state) for state in states]

    def _judged(self, point: Point, name: str, call: Disturbed, state: State) -> PointResult:
        kept = self.kept / f"{name} {state.moment}".rstrip()
        trace = call.around(point, self.stage.base.parent)
        with state.found() as base:
            keep(base, kept)

            def check() -> None:
                if isinstance(call.fault, BrokenPromise):
                    raise call.fault
                self.call.expect_survived(base, call)

            return judged_by_calls(name, point.path, check, kept, state.moment, trace)

    def _call(self, injection: Injection | None) -> Disturbed:
        return self.call.disturbed(self.stage.base, injection)


def named(point: Point, signal: str) -> str:
    """Return what a signal at a point is called on a command line; for a kill just the point."""
    return point.id if signal == KILL else f"{point.id} {signal}"


def _expect_true_exit(call: Disturbed) -> None:
    """Raise BrokenPromise where a process ended without an answer as if all were well."""
    ended = call.fault.status if isinstance(call.fault, Crashed) else None
    expect_that(
        ended != 0,
        "how the process ended, which did not answer",
        expected="any exit status but 0",
        found=ended,
        cause=Cause.NO_ANSWER,
    )
