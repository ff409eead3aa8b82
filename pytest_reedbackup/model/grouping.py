"""Cases that came out badly, put together where they did so for one cause.

Whoever shows failures to people shows these: one wrong field name breaks each
case that makes a backup, and is still one thing to mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from reedbase_backup.adapter.protocol import Contract

_BAD = (Outcome.FAIL, Outcome.ERROR)


class CauseGroup(Struct, frozen=True, kw_only=True):
    """All cases of one target that came out badly for one cause, in the order of the run."""

    implementation: str
    contract: Contract
    outcome: Outcome
    cause: Cause | None
    symptom: str
    """What their failures have in common."""
    case_ids: list[str]
    repeat: str
    """The command that repeats the first of them."""
    detail: str
    """Of the first of them, as in CaseOutcome; so are the next three."""
    expected: str
    found: str
    difference: list[str]


def by_cause(outcomes: Iterable[CaseOutcome]) -> list[list[CaseOutcome]]:
    """Return the broken promises and the errors, those of one cause together.

    A sweep stands alone: it has points of its own to show.
    """
    return _together(outcomes, _BAD, _likeness)


def grouped(outcomes: Iterable[CaseOutcome]) -> list[CauseGroup]:
    """Return the same for programs, to whom the ids of the cases say enough."""
    return [_group(alike) for alike in by_cause(outcomes)]


def by_reason(outcomes: Iterable[CaseOutcome], kinds: Sequence[Outcome]) -> list[list[CaseOutcome]]:
    """Return the cases that came out in one of these ways, those of one reason together.

    They are of one target, and neither broken promises nor errors.
    """
    return _together(outcomes, kinds, _reason)


def _together(
    outcomes: Iterable[CaseOutcome],
    kinds: Sequence[Outcome],
    likeness: Callable[[CaseOutcome], tuple[object, ...]],
) -> list[list[CaseOutcome]]:
    """Return the cases that came out in one of these ways, the alike together."""
    groups: dict[tuple[object, ...], list[CaseOutcome]] = {}
    for outcome in outcomes:
        if outcome.outcome in kinds:
            groups.setdefault(likeness(outcome), []).append(outcome)
    return list(groups.values())


def _reason(outcome: CaseOutcome) -> tuple[object, ...]:
    return outcome.outcome, outcome.divergence or outcome.detail


def _likeness(outcome: CaseOutcome) -> tuple[object, ...]:
    alone = outcome.case_id if outcome.sweep or outcome.flaky or not outcome.symptom else ""
    target = (outcome.implementation, outcome.contract)
    return *target, outcome.outcome, outcome.cause, outcome.symptom, alone


def _group(alike: list[CaseOutcome]) -> CauseGroup:
    first = alike[0]
    return CauseGroup(
        implementation=first.implementation,
        contract=first.contract,
        outcome=first.outcome,
        cause=first.cause,
        symptom=first.symptom,
        case_ids=[each.case_id for each in alike],
        repeat=first.repeat,
        detail=first.detail,
        expected=first.expected,
        found=first.found,
        difference=first.difference,
    )
