"""What a case is: an id that stays, a promise in one line, and a test function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import pytest

MARKER = "reedbackup_case"

Test = TypeVar("Test", bound=Callable[..., object])


class Kind(StrEnum):
    """How a case comes to its outcome."""

    PROMISE = "promise"
    """By what calls answer and leave on disk."""
    FUZZING = "fuzzing"
    """The same of drawn examples, so that a seed and their number belong to it."""
    BOUND = "bound"
    """By how long calls take."""
    SWEEP = "sweep"
    """By what is left when one thing goes wrong, at each of its points in turn."""


class Waits(StrEnum):
    """How much of its time a case waits instead of working."""

    LITTLE = "little"
    OFTEN = "often"
    """For processes of its own that halt or meet: others can work meanwhile."""
    MOSTLY = "mostly"
    """For seconds, in which it takes a processor from nobody."""


class Comparison(StrEnum):
    """What a case holds an implementation against."""

    CONTRACT = "contract"
    """Its contract alone."""
    BASELINE = "baseline"
    """What the implementation of --reedbackup-baseline does."""
    OTHERS = "others"
    """What the other implementations of the run make."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the suite.

    `id` is `{contract}/{rule}` or `{contract}/{rule}/{variant}`, where a rule is
    two words as in `restore/pick`. It is independent of file and function names.
    """

    id: str
    promise: str
    defect: str = ""
    """The defect of the baseline, as D7, that the promise states (contract `last`).

    An implementation that does the safe thing instead declares a divergence.
    """
    basic: bool = False
    """Whether the rule counts as checked only where this variant ran, too; see `is_basic`."""
    kind: Kind = Kind.PROMISE
    comparison: Comparison = Comparison.CONTRACT
    weight: int = 1
    """Of a sweep: its part of the time that all sweeps have where only a sample is visited."""
    waits: Waits = Waits.LITTLE
    """More than a little, it runs beside others."""

    @property
    def is_basic(self) -> bool:
        """Whether the rule is not checked without it.

        That holds for the case with the rule's own id, and for the variants that
        are declared `basic`. Of a rule that has neither, any case will do.
        """
        return self.basic or self.id == f"{self.contract}/{self.rule}"

    @property
    def contract(self) -> str:
        """The contract that the case belongs to."""
        return self.id.split("/")[0]

    @property
    def rule(self) -> str:
        """The id of the rule that the case checks, as in `restore/pick`."""
        return "/".join(self.id.split("/")[1:3])

    @property
    def is_fuzzing(self) -> bool:
        """Whether the case draws examples."""
        return self.kind is Kind.FUZZING

    @property
    def is_sweep(self) -> bool:
        """Whether the case visits points."""
        return self.kind is Kind.SWEEP


def case(
    case_id: str,
    promise: str,
    *,
    defect: str = "",
    basic: bool = False,
    kind: Kind = Kind.PROMISE,
    comparison: Comparison = Comparison.CONTRACT,
    weight: int = 1,
    waits: Waits = Waits.LITTLE,
) -> Callable[[Test], Test]:
    """Make a test function the case `case_id`, which checks `promise`.

    `basic`: without it the rule counts as not checked (see `Case.is_basic`).
    """
    marker: pytest.MarkDecorator = getattr(pytest.mark, MARKER)
    return marker(Case(case_id, promise, defect, basic, kind, comparison, weight, waits))


def cases(
    rule_id: str,
    promise: str,
    variants: Mapping[str, Any],
    *,
    defect: str = "",
    kind: Kind = Kind.PROMISE,
    comparison: Comparison = Comparison.CONTRACT,
    weight: int = 1,
    waits: Waits = Waits.LITTLE,
) -> Callable[[Test], Test]:
    """Make a test function one case a variant, `{rule_id}/{name}`.

    The test takes the argument `variant`, the value under that name; `promise`
    may hold `{variant}` for the name.
    """
    marker: pytest.MarkDecorator = getattr(pytest.mark, MARKER)

    def declared(name: str) -> Case:
        promised = promise.format(variant=name)
        case_id = f"{rule_id}/{name}"
        return Case(case_id, promised, defect, False, kind, comparison, weight, waits)

    return pytest.mark.parametrize(
        "variant",
        [
            pytest.param(value, id=name, marks=marker(declared(name)))
            for name, value in variants.items()
        ],
    )


def declared_by(test: object) -> Iterator[Case]:
    """Yield the cases that a test function was made; none for one that is no case."""
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == MARKER:
            yield mark.args[0]
        elif mark.name == "parametrize":
            for parameter in mark.args[1]:
                marks = getattr(parameter, "marks", ())
                yield from (inner.args[0] for inner in marks if inner.name == MARKER)


def case_of(item: pytest.Item) -> Case | None:
    """Return the case that a collected test is; None for a test that is none."""
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return None
    declared: Case = marker.args[0]
    return declared
