"""What the outcomes of the cases say of an implementation."""

from __future__ import annotations

import pytest

from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Result, Verdict, results

PASS, FAIL, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR
SKIP, DIVERGES, UNDECIDED = Outcome.SKIP, Outcome.DIVERGES, Outcome.UNDECIDED


def came(outcome: Outcome, rule: str = "restore/pick", **more) -> CaseOutcome:
    given = {"implementation": "python", "contract": "ticket", **more}
    return CaseOutcome(
        case_id=f"{given['contract']}/{rule}",
        rule=rule,
        promise="A promise.",
        outcome=outcome,
        node_id="test_it.py::test_it",
        repeat="pytest",
        duration_secs=0.1,
        **given,
    )


def result(*outcomes: CaseOutcome) -> Result:
    return Result("python", "ticket", outcomes)


@pytest.mark.parametrize(
    ("outcomes", "verdict", "is_unreliable"),
    [
        ([PASS], Verdict.CONFORMS, False),
        ([PASS, SKIP], Verdict.CONFORMS, False),
        ([PASS, DIVERGES, SKIP], Verdict.DIVERGES, False),
        ([PASS, UNDECIDED], Verdict.UNDECIDED, False),
        ([PASS, DIVERGES, UNDECIDED], Verdict.UNDECIDED, False),
        ([PASS, ERROR], Verdict.UNDECIDED, True),
        ([PASS, DIVERGES, ERROR], Verdict.UNDECIDED, True),
        ([SKIP, SKIP], Verdict.UNDECIDED, True),
        ([], Verdict.UNDECIDED, True),
        ([FAIL], Verdict.DOES_NOT_CONFORM, True),
        ([PASS, FAIL], Verdict.DOES_NOT_CONFORM, False),
        ([PASS, FAIL, ERROR, SKIP, DIVERGES, UNDECIDED], Verdict.DOES_NOT_CONFORM, True),
    ],
)
def test_the_verdict_follows_the_gravest_outcome(outcomes, verdict, is_unreliable):
    found = result(*map(came, outcomes))
    assert (found.verdict, found.is_unreliable) == (verdict, is_unreliable)


def test_the_verdicts_are_words():
    assert [verdict.value for verdict in Verdict] == [
        "conforms",
        "conforms with declared divergences",
        "does not conform",
        "undecided",
    ]


def test_a_skip_is_counted_and_no_pass():
    counts = result(came(PASS), came(SKIP), came(SKIP)).counts
    assert (counts[PASS], counts[SKIP], counts[FAIL]) == (1, 2, 0)


def test_a_rule_that_only_a_missing_tool_keeps_unchecked_is_undecided():
    found = result(came(PASS), came(SKIP, "list/read-only", missing_tool=True))
    assert found.unchecked_rules == ["list/read-only"]
    assert (found.verdict, found.is_unreliable) == (Verdict.UNDECIDED, True)


def test_a_missing_tool_leaves_the_verdict_where_another_case_checked_the_rule():
    checked = came(PASS, "restore/atomic")
    found = result(checked, came(SKIP, "restore/atomic", missing_tool=True))
    assert found.unchecked_rules == []
    assert found.verdict is Verdict.CONFORMS


def test_a_missing_capability_leaves_the_verdict():
    """CONTRACTS, "Verdict": only optional capabilities were skipped, and they are counted."""
    found = result(came(PASS), came(SKIP, "create/clock-backwards", missing="clock"))
    assert found.unchecked_rules == []
    assert found.verdict is Verdict.CONFORMS


def test_outcomes_are_grouped_by_implementation_and_contract():
    outcomes = [
        came(PASS),
        came(FAIL, implementation="./adapter"),
        came(SKIP, contract="last"),
        came(PASS, implementation="./adapter"),
    ]
    found = [(r.implementation, r.contract, list(r.outcomes)) for r in results(outcomes)]
    assert found == [
        ("python", "ticket", [outcomes[0]]),
        ("./adapter", "ticket", [outcomes[1], outcomes[3]]),
        ("python", "last", [outcomes[2]]),
    ]
    assert results([]) == []
