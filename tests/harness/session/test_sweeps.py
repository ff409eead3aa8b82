"""Sweeps in a run: how many points, which, for how long, shared by workers, and as reported."""

from __future__ import annotations

import pytest

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports import json_report

pytest_plugins = ["pytester"]

SWEEPS = """
import time
from pytest_reedbackup.injection.sweeps.sweeper import Visit, judged
from pytest_reedbackup.model.case import Kind, case
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

BROKEN = {broken}

def visits(reaches=True):
    def judge(point, number):
        def check():
            if number in BROKEN:
                raise BrokenPromise("the tree", expected="whole", found="a hole")
        time.sleep({secs})
        outcome = judged(point, "tables", check, trace=["write(x) = 3", "--- here ---"])
        if not reaches:
            outcome = PointResult(point=point, path="", outcome=PointOutcome.NOT_REACHED)
        return [outcome]

    return [
        Visit(point, "tables", lambda p=point, n=n: judge(p, n), row="write", number=n)
        for n in range(1, 21)
        for point in [f"write#{{n}}"]
    ]

@case("ticket/create/theirs", "Stands all.", kind=Kind.SWEEP)
def test_sweep(reedbackup, reedbackup_sweep):
    reedbackup_sweep.sweep(visits())

@case("ticket/create/theirs/unreached", "Stands what is not reached.", kind=Kind.SWEEP)
def test_unreached(reedbackup, reedbackup_sweep):
    reedbackup_sweep.sweep(visits(reaches=False))

@case("ticket/create/theirs/plain", "Is no sweep.")
def test_plain(reedbackup):
    pass
"""


class Swept:
    """A run of a user's own cases that are sweeps, and its report."""

    def __init__(
        self, pytester: pytest.Pytester, *arguments: str, broken: str = "()", secs: float = 0.0
    ) -> None:
        pytester.makepyfile(test_theirs=SWEEPS.format(broken=broken, secs=secs))
        report = pytester.path / "report.json"
        self.result = pytester.runpytest_subprocess(
            *("test_theirs.py", "--reedbackup-impl=python", f"--reedbackup-report={report}"),
            *("-p", "pytest_reedbackup.session.suite_fixtures.sweeps", *arguments),
        )
        self.outcomes: dict[str, CaseOutcome] = {}
        if report.exists():
            cases = json_report.read(report).cases
            self.outcomes = {outcome.case_id: outcome for outcome in cases}

    @property
    def points(self) -> list[str]:
        sweep = self.outcomes["ticket/create/theirs"].sweep
        assert sweep is not None
        assert sweep.rows == {"write": 20}
        return [result.point for result in sweep.results]


def numbers(count: int) -> list[str]:
    return [f"write#{n}" for n in range(1, count + 1)]


def test_full_visits_every_point(pytester: pytest.Pytester) -> None:
    swept = Swept(pytester, "--reedbackup-faults=full")
    assert swept.points == numbers(20)
    assert swept.outcomes["ticket/create/theirs"].outcome is Outcome.PASS
    swept.result.stdout.fnmatch_lines(["*ticket/create/theirs: all 20 points visited, 0 broken*"])


def test_quick_ends_when_its_time_is_up_and_says_how_much_it_saw(
    pytester: pytest.Pytester,
) -> None:
    # In a process of its own, which reads it from here.
    pytester.makeconftest(
        "import pytest_reedbackup.session.suite_fixtures.sweeps as s; s.QUICK_SECS = 1.0"
    )
    swept = Swept(pytester, "--reedbackup-case=ticket/create/theirs", secs=0.2)
    assert 1 <= len(swept.points) <= 6
    assert swept.points == numbers(len(swept.points))
    swept.result.stdout.fnmatch_lines(
        [f"*a sample of {len(swept.points)} of 20 points of 1 sweep; --reedbackup-faults=full*"]
    )


def test_off_leaves_the_sweeps_out_and_never_says_conforms_without_a_limit(
    pytester: pytest.Pytester,
) -> None:
    swept = Swept(pytester, "--reedbackup-faults=off")
    assert list(swept.outcomes) == ["ticket/create/theirs/plain"]
    swept.result.stdout.fnmatch_lines(["*conforms as far as it was tried*"])


def test_a_broken_point_is_shown_with_its_trace_and_repeated_alone(
    pytester: pytest.Pytester,
) -> None:
    swept = Swept(pytester, "--reedbackup-faults=full", broken="(3, 17)")
    outcome = swept.outcomes["ticket/create/theirs"]
    assert outcome.outcome is Outcome.FAIL
    assert outcome.detail == "write#3 (tables): the tree"
    assert (outcome.expected, outcome.found) == ("whole", "a hole")
    assert outcome.repeat.endswith("'--reedbackup-point=write#3'")
    swept.result.stdout.fnmatch_lines(
        [
            "*points   all 20 points visited, 2 broken*",
            "*write  20  ··X·············X···*",
            "*--- here ---*",
        ]
    )
    again = Swept(pytester, "--reedbackup-point=write#3", broken="(3, 17)")
    assert again.points == ["write#3"]


def test_a_sweep_that_reaches_nothing_is_not_passed(pytester: pytest.Pytester) -> None:
    swept = Swept(pytester, "--reedbackup-case=ticket/create/theirs/unreached")
    outcome = swept.outcomes["ticket/create/theirs/unreached"]
    assert outcome.outcome is Outcome.SKIP
    assert outcome.missing_tool
    assert swept.result.ret == 1


def test_a_point_that_there_is_not_is_answered_with_those_that_there_are(
    pytester: pytest.Pytester,
) -> None:
    swept = Swept(pytester, "--reedbackup-point=fsync#1")
    assert swept.outcomes["ticket/create/theirs"].outcome is Outcome.SKIP
    assert "20 others here: write#1, write#2" in swept.outcomes["ticket/create/theirs"].detail


def test_workers_share_the_points_of_a_full_sweep(pytester: pytest.Pytester) -> None:
    swept = Swept(pytester, "--reedbackup-faults=full", "-n2", broken="(4,)")
    assert sorted(swept.points) == sorted(numbers(20))
    outcome = swept.outcomes["ticket/create/theirs"]
    assert outcome.outcome is Outcome.FAIL
    assert outcome.repeat.endswith("'--reedbackup-point=write#4'")


def test_off_with_a_point_or_with_sweeps_alone_is_a_usage_error(pytester: pytest.Pytester) -> None:
    swept = Swept(pytester, "--reedbackup-faults=off", "--reedbackup-point=write#1")
    swept.result.stderr.fnmatch_lines(["*--reedbackup-faults=off visits no point*"])
    swept = Swept(pytester, "--reedbackup-faults=off", "--reedbackup-case=ticket/create/theirs")
    swept.result.stderr.fnmatch_lines(["*are sweeps, which --reedbackup-faults=off leaves out*"])
