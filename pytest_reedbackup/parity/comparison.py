"""One scenario played to both sides, and all that came of each call compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.generate.last.scenarios import Call, Create, List, Restore, Scenario
from pytest_reedbackup.parity import creates, expected, lists, restores
from pytest_reedbackup.parity.facts import OUTCOME, Expected, Facts, Side, fits
from pytest_reedbackup.parity.times import Times, times

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


@dataclass
class Comparison:
    """Both sides, on byte-identical copies of one database."""

    a: Side
    b: Side
    tally: Tally
    _are_apart: bool = field(default=False, init=False)
    """Whether their databases differ by now, as a declared defect has it."""

    def play(self, scenario: Scenario) -> None:
        """Every call on A, then on B. Raises Difference at the first call that differs."""
        self.tally.scenarios += 1
        with times(scenario, self.a, self.b) as clocks:
            for number, call in enumerate(scenario.calls, 1):
                self.tally.calls += 1
                self._compare(_Made(call, number), clocks)

    def _compare(self, made: _Made, clocks: Times) -> None:
        clocks.set_for(made.call)
        with kept_before(self.a) as before_a, kept_before(self.b) as before_b:
            a, b = made.observed(self.a), made.observed(self.b)
            clocks.check_after(made.call)
            differing = {each for each in a.keys() | b.keys() if a.get(each) != b.get(each)}
            if not differing:
                return
            judged = _Judged(made, (before_a, a), (before_b, b), differing)
            by = judged.explained_by()
        # Alternatives of what both do about a defect are no excuse, unless they were apart before.
        if by is None or not (by or self._are_apart):
            raise Difference(made.number, min(differing, key=_outcome_first), a, b)
        self._are_apart = True
        self.tally.accepted.update(by or [AFTERWARDS])


@dataclass(frozen=True)
class _Judged:
    """A call whose facts differ between two sides, each as it was before."""

    made: _Made
    a: tuple[Side, Facts]
    b: tuple[Side, Facts]
    headings: Collection[str]

    def explained_by(self) -> set[str] | None:
        """The defects that explain it, of those that one side declares; None for no such thing.

        Each side must have done what is expected of who declares what it does,
        and both in the same way what both declare.
        """
        ways_a, ways_b = (self._fitting(*each, each[0].mended) for each in (self.a, self.b))
        if not any(one.agrees_with(other) for one in ways_a for other in ways_b):
            return None
        contested = (self.a[0].mended ^ self.b[0].mended) & set(self.made.mendable)
        return {
            defect
            for defect in contested
            for side, facts in (self.a, self.b)
            if not self._fitting(side, facts, side.mended ^ {defect})
        }

    def _fitting(self, side: Side, facts: Facts, mended: Collection[str]) -> list[Expected]:
        expected = self.made.expected(side, mended)
        return [each for each in expected if fits(each, facts, self.headings)]


@contextmanager
def kept_before(side: Side) -> Iterator[Side]:
    """The side as it is now, in a copy of its base, for what is expected to be read from."""
    around = side.base.parent
    copy = around.with_name(f"{around.name}-before")
    clone_tree(around, copy)
    try:
        yield side.at(copy / side.base.name)
    finally:
        remove_tree(copy)


def observe(side: Side, scenario: Scenario) -> list[Facts]:
    """Every call on one side alone."""
    found = []
    with times(scenario, side) as clocks:
        for number, call in enumerate(scenario.calls, 1):
            clocks.set_for(call)
            found.append(_Made(call, number).observed(side))
            clocks.check_after(call)
    return found


@dataclass(frozen=True)
class _Made:
    """A call as it is made."""

    call: Call
    number: int

    @property
    def mendable(self) -> Collection[str]:
        """The defects that it shows."""
        return _KINDS[type(self.call)].mendable

    def expected(self, side: Side, mended: Collection[str]) -> Iterable[Expected]:
        """What the contract says of it."""
        return _KINDS[type(self.call)].expected(side, self.call, mended)

    def observed(self, side: Side) -> Facts:
        """It is made on one side; what came of it."""
        return _KINDS[type(self.call)].observed(side, self.call, self.number)


@dataclass(frozen=True)
class _Kind:
    """What is known of a function."""

    mendable: Collection[str]
    expected: Callable[..., Iterable[Expected]]
    observed: Callable[..., Facts]


_KINDS: Mapping[type[Call], _Kind] = {
    Restore: _Kind(expected.MENDABLE, expected.expected, restores.observed),
    List: _Kind(lists.MENDABLE, lists.expected, lists.observed),
    Create: _Kind(creates.MENDABLE, creates.expected, creates.observed),
}
MENDABLE = tuple(defect for kind in _KINDS.values() for defect in kind.mendable)
"""The defects, by id, that outcomes show."""


def _outcome_first(heading: str) -> tuple[bool, str]:
    return heading != OUTCOME, heading
