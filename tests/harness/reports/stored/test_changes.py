"""Two reports beside each other: what got worse is a regression, what is noise is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from harness.reports.reports import report_of
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.timing import Pairs
from pytest_reedbackup.reports.stored.changes import Changes, changes, lines


def timed(*percents: int) -> CaseOutcome:
    """A case of a bound whose pairs took these shares of the baseline's time."""
    pairs = Pairs(pairs=[(each, 100) for each in percents], majority=9, limit=1.1)
    return case_outcome(Outcome.PASS, "bounds/ratio/create-bulk", timing=pairs)


def compared(old: Sequence[CaseOutcome], new: Sequence[CaseOutcome]) -> Changes:
    return changes(report_of(old), report_of(new))


@pytest.mark.parametrize("before", [o for o in Outcome if o is not Outcome.FAIL])
def test_a_promise_that_was_not_broken_and_is_now_is_a_regression(before: Outcome) -> None:
    new = case_outcome(Outcome.FAIL, detail="the order", expected="2, 1", found="1, 2")
    found = compared([case_outcome(before)], [new])
    assert found.is_regression
    assert [(c.before, c.after, c.why) for c in found.broken] == [
        (before.value, "fail", "the order: expected 2, 1, found 1, 2")
    ]
    assert found.same == 0
    assert "    repeat: pytest" in list(lines(found))


def test_what_was_broken_before_is_no_regression_and_what_is_kept_now_is_mended() -> None:
    broken = case_outcome(Outcome.FAIL, "list/order")
    old = [broken, case_outcome(Outcome.FAIL, "list/empty")]
    found = compared(old, [broken, case_outcome(Outcome.PASS, "list/empty")])
    assert not found.is_regression
    assert [change.case_id for change in found.mended] == ["ticket/list/empty"]
    assert list(lines(found)) == [
        "mended: 1",
        "  ticket/list/empty (python): fail -> pass",
        "as before: 1",
    ]


@pytest.mark.parametrize("after", [Outcome.SKIP, Outcome.ERROR, Outcome.NOT_CHECKED])
def test_what_is_not_checked_any_more_is_a_regression(after: Outcome) -> None:
    found = compared([case_outcome(Outcome.PASS)], [case_outcome(after, detail="no strace")])
    assert found.is_regression
    assert [(c.before, c.after, c.why) for c in found.unchecked] == [
        ("pass", after.value, "no strace")
    ]


def test_a_case_that_is_not_in_the_run_any_more_is_not_checked_any_more() -> None:
    kept = case_outcome(Outcome.PASS, "list/order")
    found = compared([kept, case_outcome(Outcome.PASS)], [kept])
    assert [(c.case_id, c.after) for c in found.unchecked] == [
        ("ticket/restore/pick", "not in the run")
    ]


def test_slower_is_what_no_noise_explains() -> None:
    before = timed(*range(90, 100))
    noisy = compared([before], [timed(*range(95, 105))])
    assert not noisy.is_regression
    assert noisy.same == 1
    slower = compared([before], [timed(*range(100, 110))])
    assert slower.is_regression
    assert [(change.before, change.after) for change in slower.slower] == [
        (
            "94% of the baseline's time (91% to 98%)",
            "104% of the baseline's time (101% to 108%)",
        )
    ]
    assert [c.case_id for c in compared([timed(*range(100, 110))], [before]).faster] == [
        "ticket/bounds/ratio/create-bulk"
    ]


def test_pairs_that_decide_nothing_say_nothing_of_slower() -> None:
    few = Pairs(pairs=[(300, 100)], majority=9, limit=1.1)
    undecided = case_outcome(Outcome.PASS, "bounds/ratio/create-bulk", timing=few)
    assert not compared([timed(*range(90, 100))], [undecided]).is_regression


def test_the_only_implementation_of_either_run_is_the_same_one_whatever_its_name() -> None:
    old = [case_outcome(Outcome.PASS, implementation="./old")]
    new = [case_outcome(Outcome.FAIL, implementation="./new")]
    assert [change.implementation for change in compared(old, new).broken] == ["./new"]
    two = [*new, case_outcome(Outcome.PASS, implementation="./other")]
    assert [change.implementation for change in compared(old, two).unchecked] == ["./old"]
