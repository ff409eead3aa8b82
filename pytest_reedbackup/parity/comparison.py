"""One scenario played to both sides, and all that came of each call compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pytest_reedbackup.fuzz.scenarios import Call, Create, List, Restore, Scenario
from pytest_reedbackup.parity import creates, lists, restores
from pytest_reedbackup.parity.facts import OUTCOME, Facts, Side
from pytest_reedbackup.restores import MENDABLE

NOTHING = ("(nothing)",)
AFTERWARDS = "what follows from an earlier one"


class Difference(Exception):
    """The two sides did not do the same, and no declared defect explains it."""

    def __init__(self, call: int, heading: str, a: Facts, b: Facts) -> None:
        super().__init__(f"call {call}: {heading}")
        self.call = call
        """Which call it was, counted from 1."""
        self.heading = heading
        self.a = a
        self.b = b

    def lines(self, facts: Facts) -> tuple[str, ...]:
        """What one side did under the heading."""
        return facts.get(self.heading) or NOTHING


@dataclass
class Tally:
    """What a campaign has compared."""

    scenarios: int = 0
    calls: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    """Differences that are just a declared defect's, by its id."""

    def __str__(self) -> str:
        told = f"{self.scenarios} databases, {self.calls} calls"
        counts = ", ".join(f"{name} {times}" for name, times in sorted(self.accepted.items()))
        return f"{told}; differences by declared defects: {counts or 'none'}"


@dataclass(frozen=True)
class Comparison:
    """Both sides, on byte-identical copies of one database."""

    a: Side
    b: Side
    tally: Tally

    def play(self, scenario: Scenario) -> None:
        """Every call on A, then on B. Raises Difference at the first call that differs."""
        self.tally.scenarios += 1
        for number, call in enumerate(scenario.calls, 1):
            self.tally.calls += 1
            self._compare(_Made(call, number))

    def _compare(self, made: _Made) -> None:
        contested = (self.a.mended ^ self.b.mended) & set(made.mendable)
        toggled = [
            (defect, side, made.predicted(side, side.mended ^ {defect}))
            for defect in sorted(contested)
            for side in (self.a, self.b)
        ]
        expected_a = made.predicted(self.a, self.a.mended)
        expected_b = made.predicted(self.b, self.b.mended)
        a, b = made.observed(self.a), made.observed(self.b)
        for heading in sorted(a.keys() | b.keys(), key=_outcome_first):
            if a.get(heading) == b.get(heading):
                continue
            as_expected = (a.get(heading), b.get(heading)) == (
                expected_a.get(heading),
                expected_b.get(heading),
            )
            if not as_expected:
                raise Difference(made.number, heading, a, b)
            by = {
                defect
                for defect, side, facts in toggled
                if facts.get(heading) != (a if side is self.a else b).get(heading)
            }
            self.tally.accepted.update(by or [AFTERWARDS])


def observe(side: Side, scenario: Scenario) -> list[Facts]:
    """Every call on one side alone."""
    return [_Made(call, n).observed(side) for n, call in enumerate(scenario.calls, 1)]


@dataclass(frozen=True)
class _Made:
    """A call as it is made."""

    call: Call
    number: int

    @property
    def mendable(self) -> Collection[str]:
        """The defects that it shows."""
        return _KINDS[type(self.call)][0]

    def predicted(self, side: Side, mended: Collection[str]) -> Facts:
        """What the model says of it."""
        return _KINDS[type(self.call)][1](side, self.call, mended)

    def observed(self, side: Side) -> Facts:
        """It is made on one side; what came of it."""
        return _KINDS[type(self.call)][2](side, self.call, self.number)


_KINDS: dict[type[Call], tuple[Collection[str], Callable[..., Facts], Callable[..., Facts]]] = {
    Restore: (
        MENDABLE,
        lambda side, call, mended: restores.predicted(side, call.target, mended),
        lambda side, call, number: restores.observed(side, call.target, number),
    ),
    List: (
        lists.MENDABLE,
        lambda side, call, mended: lists.predicted(side, mended),
        lambda side, call, number: lists.observed(side),
    ),
    Create: (
        creates.MENDABLE,
        lambda side, call, mended: creates.predicted(side, mended),
        lambda side, call, number: creates.observed(side),
    ),
}


def _outcome_first(heading: str) -> tuple[bool, str]:
    return heading != OUTCOME, heading
