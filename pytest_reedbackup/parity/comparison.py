"""Run one scenario on both sides, and compare all that comes of each call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.generate.last.scenarios import Call, Create, List, Restore, Scenario
from pytest_reedbackup.parity import creates, lists
from pytest_reedbackup.parity.call_times import CallTimes, call_times
from pytest_reedbackup.parity.observations import (
    OUTCOME,
    ExpectedObservation,
    Observation,
)
from pytest_reedbackup.parity.restores import expect, observe
from pytest_reedbackup.parity.sides import SideRun

NOTHING = ("(nothing)",)
AFTERWARDS = "what follows from an earlier one"


class Difference(Exception):
    """The two sides did not do the same, and no declared defect explains it."""

    def __init__(self, call: int, heading: str, a: Observation, b: Observation) -> None:
        super().__init__(f"call {call}: {heading}")
        self.call = call
        """Which call it was, counted from 1."""
        self.heading = heading
        self.a = a
        self.b = b

    def lines(self, observation: Observation) -> tuple[str, ...]:
        """Return the lines of one side's observation under the heading."""
        return observation.get(self.heading) or NOTHING


@dataclass
class Tally:
    """What a campaign has compared."""

    scenarios: int = 0
    calls: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    """How many differences a declared defect explains, by its id."""

    def __str__(self) -> str:
        compared = f"{self.scenarios} databases, {self.calls} calls"
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.accepted.items()))
        return f"{compared}; differences by declared defects: {counts or 'none'}"


@dataclass
class Comparison:
    """Both sides, on byte-identical copies of one database."""

    a: SideRun
    b: SideRun
    tally: Tally
    _are_apart: bool = field(default=False, init=False)
    """Whether an accepted difference has made their databases differ."""

    def play(self, scenario: Scenario) -> None:
        """Make every call on A, then on B. Raises Difference at the first call that differs."""
        self.tally.scenarios += 1
        with call_times(scenario, self.a, self.b) as clocks:
            for number, call in enumerate(scenario.calls, 1):
                self.tally.calls += 1
                self._compare(_NumberedCall(call, number), clocks)

    def _compare(self, call: _NumberedCall, clocks: CallTimes) -> None:
        clocks.set_for(call.call)
        with frozen_copy(self.a) as before_a, frozen_copy(self.b) as before_b:
            a, b = call.observe(self.a), call.observe(self.b)
            clocks.check_after(call.call)
            headings = {each for each in a.keys() | b.keys() if a.get(each) != b.get(each)}
            if not headings:
                return
            defects = _DifferingCall(call, (before_a, a), (before_b, b), headings).explanation()
        # Both sides may do the same about a defect, in different ways that the contract allows.
        # That explains no difference, unless their databases have differed before the call.
        if defects is None or not (defects or self._are_apart):
            raise Difference(call.number, min(headings, key=_outcome_first), a, b)
        self._are_apart = True
        self.tally.accepted.update(defects or [AFTERWARDS])


@dataclass(frozen=True)
class _DifferingCall:
    """A call of which the two sides' observations differ, each with its side before the call."""

    call: _NumberedCall
    a: tuple[SideRun, Observation]
    b: tuple[SideRun, Observation]
    headings: Collection[str]
    """Those under which the lines differ."""

    def explanation(self) -> set[str] | None:
        """Return the defects that explain the difference; None where nothing does.

        A defect explains it if only one side declares it, and that or the other
        side would break the contract if it were the other way round. Each side
        must do what the contract allows with what it declares, and both must
        have chosen the same where both may choose.
        """
        allowed_a, allowed_b = (self._fitting(*each, each[0].mended) for each in (self.a, self.b))
        if not any(one.agrees_with(other) for one in allowed_a for other in allowed_b):
            return None
        of_one_side = (self.a[0].mended ^ self.b[0].mended) & set(self.call.mendable)
        return {
            defect
            for defect in of_one_side
            for run, observation in (self.a, self.b)
            if not self._fitting(run, observation, run.mended ^ {defect})
        }

    def _fitting(
        self, run: SideRun, observation: Observation, mended: Collection[str]
    ) -> list[ExpectedObservation]:
        expected = self.call.expected(run, mended)
        return [each for each in expected if each.fits(observation, self.headings)]


@contextmanager
def frozen_copy(run: SideRun) -> Iterator[SideRun]:
    """Provide the run as it is now, on a copy of its base, to work out from it what is expected."""
    around = run.base.parent
    copy = around.with_name(f"{around.name}-before")
    clone_tree(around, copy)
    try:
        yield run.copied_to(copy / run.base.name)
    finally:
        remove_tree(copy)


def observe_alone(run: SideRun, scenario: Scenario) -> list[Observation]:
    """Make every call on one side alone, and return what came of each."""
    observations = []
    with call_times(scenario, run) as clocks:
        for number, call in enumerate(scenario.calls, 1):
            clocks.set_for(call)
            observations.append(_NumberedCall(call, number).observe(run))
            clocks.check_after(call)
    return observations


@dataclass(frozen=True)
class _NumberedCall:
    """A call of a scenario, counted from 1."""

    call: Call
    number: int

    @property
    def mendable(self) -> Collection[str]:
        """The defects, by id, that it shows."""
        return _FUNCTIONS[type(self.call)].mendable

    def expected(self, run: SideRun, mended: Collection[str]) -> Iterable[ExpectedObservation]:
        """Return what the contract allows of it."""
        return _FUNCTIONS[type(self.call)].expected(run, self.call, mended)

    def observe(self, run: SideRun) -> Observation:
        """Make it on one side, and return what came of it."""
        return _FUNCTIONS[type(self.call)].observe(run, self.call, self.number)


@dataclass(frozen=True)
class _Function:
    """How one of the three functions is observed, and what the contract allows of it."""

    mendable: Collection[str]
    expected: Callable[..., Iterable[ExpectedObservation]]
    observe: Callable[..., Observation]


_FUNCTIONS: Mapping[type[Call], _Function] = {
    Restore: _Function(expect.MENDABLE, expect.expected_restores, observe.observe_restore),
    List: _Function(lists.MENDABLE, lists.expected_lists, lists.observe_list),
    Create: _Function(creates.MENDABLE, creates.expected_creates, creates.observe_create),
}
MENDABLE = tuple(defect for function in _FUNCTIONS.values() for defect in function.mendable)
"""The defects, by id, that observations show."""


def _outcome_first(heading: str) -> tuple[bool, str]:
    return heading != OUTCOME, heading
