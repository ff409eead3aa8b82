"""What the outcomes of the cases say of an implementation."""

from __future__ import annotations

import pytest
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome, whole_case, worst_attempt
from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep
from pytest_reedbackup.model.verdict import Result, Verdict, results

PASS, FAIL, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR
SKIP, DIVERGES, UNDECIDED = Outcome.SKIP, Outcome.DIVERGES, Outcome.UNDECIDED
NOT_CHECKED = Outcome.NOT_CHECKED


def result(*outcomes: CaseOutcome, left_out: int = 0) -> Result:
    return Result("python", "ticket", outcomes, left_out)


@pytest.mark.parametrize(
    ("outcomes", "verdict", "exit_status"),
    [
        ([PASS], Verdict.CONFORMS, 0),
        ([PASS, DIVERGES], Verdict.DIVERGES, 0),
        ([DIVERGES, DIVERGES], Verdict.DIVERGES, 0),
        ([PASS, UNDECIDED], Verdict.UNDECIDED, 0),
        ([UNDECIDED], Verdict.UNDECIDED, 0),
        ([PASS, DIVERGES, UNDECIDED], Verdict.UNDECIDED, 0),
        ([PASS, ERROR], Verdict.UNDECIDED, 1),
        ([PASS, DIVERGES, ERROR], Verdict.UNDECIDED, 1),
        ([PASS, NOT_CHECKED], Verdict.UNDECIDED, 1),
        ([DIVERGES, NOT_CHECKED], Verdict.UNDECIDED, 1),
        ([SKIP, SKIP], Verdict.UNDECIDED, 1),
        ([NOT_CHECKED], Verdict.UNDECIDED, 1),
        ([], Verdict.UNDECIDED, 1),
        ([FAIL], Verdict.DOES_NOT_CONFORM, 1),
        ([PASS, FAIL], Verdict.DOES_NOT_CONFORM, 1),
        ([PASS, FAIL, ERROR, SKIP, DIVERGES, UNDECIDED, NOT_CHECKED], Verdict.DOES_NOT_CONFORM, 1),
    ],
)
def test_the_verdict_follows_the_gravest_outcome(
    outcomes: list[Outcome], verdict: Verdict, exit_status: int
) -> None:
    found = result(*(case_outcome(one, f"restore/rule-{n}") for n, one in enumerate(outcomes)))
    assert (found.verdict, found.exit_status) == (verdict, exit_status)


def test_the_verdicts_are_words() -> None:
    assert [verdict.value for verdict in Verdict] == [
        "conforms",
        "conforms with declared divergences",
        "does not conform",
        "undecided",
    ]


@pytest.mark.parametrize(
    ("outcomes", "statement"),
    [
        ([PASS], "conforms as far as it was tried"),
        ([PASS, DIVERGES], "conforms with declared divergences, as far as it was tried"),
        ([FAIL], "does not conform"),
        ([ERROR], "undecided"),
    ],
)
def test_a_verdict_on_a_part_of_the_cases_never_reads_as_on_the_whole(
    outcomes: list[Outcome], statement: str
) -> None:
    assert result(*map(case_outcome, outcomes), left_out=1).statement == statement


def test_a_skip_is_counted_and_no_pass() -> None:
    counts = result(case_outcome(PASS), case_outcome(SKIP), case_outcome(SKIP)).counts
    assert (counts[PASS], counts[SKIP], counts[FAIL]) == (1, 2, 0)


def test_a_rule_whose_basic_case_lacks_a_tool_is_named_and_undecided() -> None:
    renames = case_outcome(SKIP, "restore/atomic/renames", missing_tool=True, basic=True)
    found = result(case_outcome(PASS), case_outcome(PASS, "restore/atomic"), renames)
    assert found.unchecked_rules == {"restore/atomic": renames}
    assert found.checked_rules == {"restore/pick"}
    assert (found.statement, found.exit_status) == ("undecided", 1)


def test_a_variant_that_lacks_a_tool_is_counted_and_no_more() -> None:
    """Where the basic case of its rule ran."""
    variant = case_outcome(SKIP, "list/read-only/file-system", missing_tool=True)
    found = result(case_outcome(PASS, "list/read-only"), variant)
    assert (found.unchecked_rules, found.untried_rules) == ({}, {})
    assert (found.statement, found.counts[SKIP]) == ("conforms", 1)


def test_variants_do_not_stand_in_for_the_basic_case() -> None:
    basic = case_outcome(NOT_CHECKED)
    found = result(basic, case_outcome(PASS, "restore/pick/tie"))
    assert found.unchecked_rules == {"restore/pick": basic}


def test_a_variant_that_something_else_left_out_leaves_the_verdict_undecided() -> None:
    """Though every rule was checked: nobody knows what it would have shown."""
    found = result(case_outcome(PASS), case_outcome(NOT_CHECKED, "restore/pick/tie"))
    assert (found.unchecked_rules, found.statement, found.exit_status) == ({}, "undecided", 1)


def test_of_a_rule_without_a_basic_case_one_variant_is_enough() -> None:
    ran, skipped = (
        case_outcome(PASS, "restore/hostile/a"),
        case_outcome(SKIP, "restore/hostile/b", missing="x"),
    )
    assert result(ran, skipped).statement == "conforms"
    assert result(case_outcome(PASS), skipped).untried_rules == {"restore/hostile": skipped}


@pytest.mark.parametrize(
    "optional",
    [
        case_outcome(SKIP, "create/clock-backwards", missing="clock"),
        case_outcome(SKIP, "bounds/ratio", missing="a baseline"),
    ],
    ids=["capability", "rule"],
)
def test_what_is_optional_leaves_the_verdict_and_is_counted(optional: CaseOutcome) -> None:
    found = result(case_outcome(PASS), optional)
    assert (found.statement, found.exit_status) == ("conforms", 0)
    assert found.counts[SKIP] == 1


def test_an_optional_rule_is_undecided_all_the_same_where_others_left_it_out() -> None:
    found = result(case_outcome(PASS), case_outcome(NOT_CHECKED, "bounds/ratio"))
    assert list(found.unchecked_rules) == ["bounds/ratio"]
    assert found.statement == "undecided"


def test_a_rule_that_nothing_of_its_kind_can_be_held_to_limits_the_verdict() -> None:
    """Such as a recording, which cannot be killed."""
    atomic = case_outcome(SKIP, "restore/atomic", missing="a process")
    found = result(case_outcome(PASS), atomic)
    assert (found.untried_rules, found.unchecked_rules) == ({"restore/atomic": atomic}, {})
    assert (found.statement, found.exit_status) == ("conforms as far as it was tried", 0)


def test_outcomes_are_grouped_by_implementation_and_contract() -> None:
    outcomes = [
        case_outcome(PASS),
        case_outcome(FAIL, implementation="./adapter"),
        case_outcome(SKIP, contract="last"),
        case_outcome(PASS, implementation="./adapter"),
    ]
    found = [
        (r.implementation, r.contract, list(r.outcomes), r.left_out)
        for r in results(outcomes, {"ticket": 7})
    ]
    assert found == [
        ("python", "ticket", [outcomes[0]], 7),
        ("./adapter", "ticket", [outcomes[1], outcomes[3]], 7),
        ("python", "last", [outcomes[2]], 0),
    ]
    assert results([]) == []


@pytest.mark.parametrize(
    ("attempts", "worst", "flaky"),
    [
        ([PASS], PASS, False),
        ([PASS, PASS], PASS, False),
        ([FAIL, PASS], FAIL, True),
        ([PASS, FAIL], FAIL, True),
        ([ERROR, PASS], ERROR, True),
        ([ERROR, FAIL], FAIL, True),
        ([NOT_CHECKED, PASS], NOT_CHECKED, True),
        ([SKIP, PASS], SKIP, True),
        ([PASS, UNDECIDED], UNDECIDED, True),
    ],
)
def test_the_worst_attempt_counts_and_a_change_is_flaky(
    attempts: list[Outcome], worst: Outcome, flaky: bool
) -> None:
    found = worst_attempt([case_outcome(one, detail=str(n)) for n, one in enumerate(attempts)])
    assert (found.outcome, found.flaky, found.attempts) == (worst, flaky, len(attempts))
    assert found.detail == str(attempts.index(worst))
    assert found.duration_secs == pytest.approx(0.1 * len(attempts))


def test_a_case_that_several_tests_share_is_as_good_as_its_worst_part() -> None:
    parts = [
        case_outcome(PASS, measured="3"),
        case_outcome(FAIL, measured="4", detail="the second"),
        case_outcome(PASS),
    ]
    found = whole_case(parts)
    assert (found.outcome, found.detail, found.measured) == (FAIL, "the second", "3; 4")
    assert (found.attempts, found.flaky) == (1, False)


def test_a_part_of_a_sweep_that_the_call_did_not_come_to_decides_only_where_no_other_did() -> None:
    def part(outcome: Outcome, point: PointOutcome) -> CaseOutcome:
        result = PointResult(point="write#1@3", path="", outcome=point)
        return case_outcome(outcome, sweep=Sweep(rows={"write": 1}, results=[result]))

    unreached, stood = part(SKIP, PointOutcome.NOT_REACHED), part(PASS, PointOutcome.KEPT)
    assert whole_case([unreached, stood]).outcome is PASS
    assert whole_case([unreached, unreached]).outcome is SKIP
    # One part has all the points of a defect: the others pass without any.
    assert whole_case([unreached, case_outcome(PASS)]).outcome is SKIP
    assert whole_case([case_outcome(SKIP, detail="no strace"), stood]).outcome is SKIP


def test_a_rule_is_kept_where_one_case_is_and_the_others_are_skipped() -> None:
    assert Outcome.of_rule([SKIP, PASS]) is PASS
    assert Outcome.of_rule([SKIP, SKIP]) is SKIP
    assert Outcome.of_rule([PASS, NOT_CHECKED]) is NOT_CHECKED
