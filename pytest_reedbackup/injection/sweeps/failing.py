"""Calls of which one system call fails, once or for good, and what comes of it.

Judged is what contract `ticket` promises: an error of a documented kind and all as before, or
success that is true; and once the fault is gone the next call succeeds, in the same process as
in another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_documented, no_answer
from pytest_reedbackup.implementations.answers import Answer, Refused
from pytest_reedbackup.injection.sweeps.disturbed import Disturbed, disturbed
from pytest_reedbackup.injection.sweeps.keeping import judged_by_calls, keep, not_reached
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.stages import FolderStage
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Swept
from pytest_reedbackup.injection.traced.failures import Failure
from pytest_reedbackup.injection.traced.points import FALLIBLE, Point, all_points, require_seen
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import PointResult
from reedbase_backup.adapter.protocol import LastReport


@dataclass(frozen=True)
class Failing:
    """All that the visits of one sweep share."""

    reserve: Reserve
    stage: FolderStage
    swept: Swept
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""

    def points(self) -> list[Point]:
        """Return the points of an undisturbed call.

        Raise MissingCapability where nothing of it is seen, BrokenPromise where it is refused.
        """
        with self.stage.used() as base, self.reserve.process() as process:
            call = disturbed(process.pid, lambda: self.swept.make(process, base), FALLIBLE)
            points = all_points(call.trace, str(base.parent.resolve()))
        call.expect_success()
        return require_seen(points)

    def visit(self, failure: Failure) -> list[PointResult]:
        """Make the call with that failure, and judge what it answers and leaves."""
        kept = self.kept / failure.id
        with self.stage.used() as base, self.reserve.process() as process:
            limited = replace(process, secs=min(failure.most_secs, process.secs))
            call = disturbed(
                process.pid, lambda: self.swept.make(limited, base), FALLIBLE, failure.injection
            )
            if not call.injected():
                return [not_reached(failure.id, failure.point.path)]
            keep(base, kept)
            check = partial(self._expect_kept, failure, call, base, process)
            trace = call.around(failure.point, base.parent)
            return [judged_by_calls(failure.id, failure.point.path, check, kept, trace=trace)]

    def _expect_kept(self, failure: Failure, call: Disturbed, base: Path, process: Served) -> None:
        if isinstance(call.fault, BrokenPromise):
            raise call.fault
        was_hit = call.hit_others(base.parent)
        if call.answer is None:
            assert call.fault is not None
            if not was_hit:
                raise no_answer("a call whose system call fails", call.fault)
            with self.reserve.process() as fresh:
                self.swept.expect_survived(Aftermath(base, None, fresh))
            return
        if not was_hit:
            expect_documented(call.answer, "the error of a call whose system call fails")
        if not (failure.for_good and _says_that_it_failed(call.answer)):
            self.swept.expect_right_after(base, call.answer)
        with self.reserve.process() as fresh:
            if was_hit or failure.may_hit_requests:
                self.swept.expect_as_answered(Aftermath(base, call.answer, fresh))
            else:
                self._expect_lives_on(Aftermath(base, call.answer, process))
            self.swept.expect_well(Aftermath(base, call.answer, fresh))

    def _expect_lives_on(self, after: Aftermath) -> None:
        try:
            self.swept.expect_as_answered(after)
        except AdapterFault as fault:
            expected = "an answer, the fault being gone"
            raise no_answer("the next call in the same process", fault, expected) from fault


def _says_that_it_failed(answer: Answer) -> bool:
    """Return whether a call is refused, or has errors in its report, as `last` has of tables."""
    if isinstance(answer, Refused):
        return True
    return isinstance(answer.value, LastReport) and bool(answer.value.errors)
