"""A call in unkind surroundings: what it answers, what it leaves, and the calls after it.

Judged is what contract `ticket` promises of a call that fails: an error of a documented kind and
all as before, or success that is true; and once the surroundings are kind again the next call
succeeds, in the same process as in another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_documented, no_answer
from pytest_reedbackup.implementations.answers import Answer, Answered, Refused, value_of
from pytest_reedbackup.injection.sweeps.keeping import judged_by_calls, keep, not_reached
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.survival import Aftermath, TicketSwept
from pytest_reedbackup.injection.sweeps.sweeper import Visit
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

Ground = Callable[[], AbstractContextManager[Path]]
"""Gives a fresh copy of a database."""
Imposed = Callable[[Path, Served, list[str]], AbstractContextManager[object]]
"""Makes the surroundings of the database at a path and of a process unkind, for a block.

The list takes the system calls that were made to fail, where that is how it is done.
"""


def nothing(base: Path, process: Served, trace: list[str]) -> AbstractContextManager[None]:
    """Impose nothing."""
    return nullcontext()


@dataclass(frozen=True)
class Hardship:
    """What is unkind about the surroundings of one call."""

    point: str
    imposed: Imposed
    row: str = "points"
    number: int = 0
    may_kill: bool = False
    """Whether it may end a process, or make it say anything: then only what is left counts."""
    must_work: bool = False
    """Whether the call must succeed all the same."""
    is_traced: bool = False
    """Whether it is nothing where no system call was made to fail."""


@dataclass(frozen=True)
class Ordeals:
    """All that the visits of one sweep share."""

    reserve: Reserve
    swept: TicketSwept
    ground: Ground
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""

    def visits(self, hardships: Sequence[Hardship]) -> list[Visit]:
        """Return a visit of each, in their order."""
        return [Visit(h.point, "", partial(self.visit, h), h.row, h.number) for h in hardships]

    def stands(self, hardship: Hardship) -> bool:
        """Return whether the call succeeds in these surroundings."""
        with (
            self.ground() as base,
            self.reserve.process() as process,
            hardship.imposed(base, process, []),
        ):
            with suppress(Crashed, TimedOut):
                return isinstance(self.swept.make(process, base), Answered)
            return False

    def visit(self, hardship: Hardship) -> list[PointResult]:
        """Make the call in these surroundings, and judge what it answers and leaves."""
        kept, trace = self.kept / hardship.point, list[str]()
        with self.ground() as base, self.reserve.process() as process:
            check = partial(self._expect_kept, hardship, base, process, kept, trace)
            result = judged_by_calls(hardship.point, "", check, kept, trace=trace)
        is_kept = result.outcome is PointOutcome.KEPT
        if is_kept and hardship.is_traced and not trace:
            return [not_reached(hardship.point, "")]
        return [result]

    def _expect_kept(
        self, hardship: Hardship, base: Path, process: Served, kept: Path, trace: list[str]
    ) -> None:
        with ExitStack() as running:
            with hardship.imposed(base, process, trace):
                answer = self._answer(hardship, base, process)
                keep(base, kept)
                fresh = running.enter_context(self.reserve.process())
                if answer is not None:
                    self.swept.expect_right_after(base, answer)
                    self.swept.expect_listed(Aftermath(base, answer, fresh))
            if hardship.may_kill:
                self.swept.expect_survived(Aftermath(base, answer, fresh))
            else:
                self.swept.expect_as_answered(Aftermath(base, answer, process))
                self.swept.expect_well(Aftermath(base, answer, fresh))

    def _answer(self, hardship: Hardship, base: Path, process: Served) -> Answer | None:
        """Return the answer; None where it does not count."""
        try:
            answer = self.swept.make(process, base)
        except (Crashed, TimedOut) as fault:
            if hardship.may_kill:
                return None
            raise no_answer("a call in such surroundings", fault) from fault
        if isinstance(answer, Refused):
            if hardship.may_kill:
                return None
            expect_documented(answer, "a call in such surroundings")
            if hardship.must_work:
                value_of(answer, "a call that must succeed in such surroundings")
        return answer
