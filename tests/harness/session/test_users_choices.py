"""Tests of users for several implementations, and those that they leave out."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

THREE = """
import pytest
from pytest_reedbackup.model.case import case
from pytest_reedbackup.checks.expectations import expect

@case("ticket/list/order/kept", "A promise that is kept.")
def test_kept(reedbackup): pass

@case("ticket/list/order/wrong", "A promise that is broken.")
@pytest.mark.xfail(reason="we know")
def test_wrong(reedbackup):
    expect("it", 1, 2)

@case("last/list/order/other", "A promise of the other contract.")
def test_other(reedbackup): pass

def test_no_case(reedbackup): pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_what_a_user_leaves_out_of_their_own_cases_is_not_checked(
    pytester: pytest.Pytester, mine: None, more: list[str]
) -> None:
    pytester.makepyfile(test_theirs=THREE)
    options = ["--reedbackup-impl=mine:Conforming", "test_theirs.py", "-k", "not wrong", *more]
    ended = pytester.runpytest_subprocess(*options)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "mine:Conforming under contract ticket: undecided * 1 kept, * 1 not checked, 0 skipped",
            "not checked ticket/list/order/wrong: *-k*",
        ]
    )


def test_a_mark_of_theirs_changes_no_outcome_and_a_test_of_theirs_fails_the_run(
    pytester: pytest.Pytester, mine: None
) -> None:
    pytester.makepyfile(test_theirs=THREE, test_more="def test_more(): assert False")
    option = "--reedbackup-impl=mine:Conforming"
    ended = pytester.runpytest_inprocess(option, "test_theirs.py")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.assert_outcomes(passed=2, failed=1)
    ended = pytester.runpytest_inprocess(option, "test_more.py")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    chosen = "--reedbackup-case=ticket/list/order/kept"
    ended = pytester.runpytest_inprocess(option, "test_theirs.py", chosen)
    assert ended.ret == pytest.ExitCode.OK


def test_each_test_is_made_for_the_implementations_of_its_contract_alone(
    pytester: pytest.Pytester, mine: None
) -> None:
    pytester.makepyfile(test_theirs=THREE)
    options = [
        "--reedbackup-impl=mine:Conforming",
        "--reedbackup-impl=python-last",
        "test_theirs.py",
    ]
    ended = pytester.runpytest_inprocess("--collect-only", "-q", *options)
    collected = sorted(line.partition("::")[2] for line in ended.outlines if "::" in line)
    assert collected == [
        "test_kept[mine:Conforming-ticket]",
        "test_no_case[mine:Conforming-ticket]",
        "test_no_case[python-last-last]",
        "test_other[python-last-last]",
        "test_wrong[mine:Conforming-ticket]",
    ]
