"""pytest's own last line: it counts cases by their outcomes, as the verdict does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome

_CALLED = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.ERROR: "error",
    Outcome.SKIP: "skipped",
    Outcome.DIVERGES: "xfailed",
    Outcome.UNDECIDED: "undecided",
    Outcome.NOT_CHECKED: "not checked",
}
"""What pytest's last line calls each kind of outcome."""

_KEPT = ("rerun", "warnings")
"""What is counted beside outcomes, and says nothing of how a case came out."""


def count_cases(
    counted: dict[str, list[Any]],
    outcomes: Sequence[CaseOutcome],
    is_case: Callable[[object], bool],
) -> None:
    """Have each case be counted once, in place of all the reports of it.

    `counted` is what pytest counts by what it calls it, and changes.
    """
    for category, reports in list(counted.items()):
        if category in _KEPT:
            continue
        others = [report for report in reports if not is_case(report)]
        if others or not category:
            counted[category] = others
        else:
            del counted[category]
    for outcome in outcomes:
        counted.setdefault(_CALLED[outcome.outcome], []).append(outcome)


def leave_out(counted: dict[str, list[Any]], is_told: Callable[[object], bool]) -> None:
    """Have pytest show no failure that is told elsewhere, before it shows any."""
    for category in ("failed", "error"):
        if category in counted:
            counted[category] = [report for report in counted[category] if not is_told(report)]


def status_of(outcome: CaseOutcome) -> tuple[str, str, str]:
    """Return the category, the letter and the word that pytest shows while the run goes on."""
    category = _CALLED[outcome.outcome]
    return category, _LETTERS[outcome.outcome], category.upper()


_LETTERS = {
    Outcome.PASS: ".",
    Outcome.FAIL: "F",
    Outcome.ERROR: "E",
    Outcome.SKIP: "s",
    Outcome.DIVERGES: "x",
    Outcome.UNDECIDED: "u",
    Outcome.NOT_CHECKED: "n",
}
