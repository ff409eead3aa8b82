"""A report of one's own takes a class of three methods and a line in the registry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from harness.session.outcomes import case_outcome
from harness.sources import MINE

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports import registry
from pytest_reedbackup.reports.json_report import JsonReport
from pytest_reedbackup.reports.registry import FileReport

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

LISTS = ["--reedbackup-impl=python", "--reedbackup-case=ticket/list/order*"]


class Lines:
    """A line for the run, for each case and for each verdict."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []

    def start(self, run: RunRecord) -> None:
        self._lines.append(f"held: {', '.join(map(str, run.targets))}, seed {run.seed}")

    def case(self, outcome: CaseOutcome) -> None:
        self._lines.append(f"{outcome.case_id}: {outcome.outcome}")

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        self._lines += [result.statement for result in results]
        self._path.write_text("\n".join(self._lines))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    own = FileReport("--reedbackup-report", Lines, ending=".lines")
    monkeypatch.setattr(registry, "FILES", (*registry.FILES, own))


def test_a_writer_that_is_registered_sees_the_run_every_case_and_the_verdict(
    pytester: pytest.Pytester, lines: None
) -> None:
    ended = pytester.runpytest_inprocess(*LISTS, "--reedbackup-report=new/out.lines")
    assert ended.ret == pytest.ExitCode.OK
    first, *cases, last = (pytester.path / "new" / "out.lines").read_text().splitlines()
    assert first == "held: python-ticket, seed 0"
    assert last == "conforms as far as it was tried"
    assert "ticket/list/order: pass" in cases
    assert len(set(cases)) == len(cases) == ended.parseoutcomes()["passed"] > 1


def test_one_run_writes_reports_of_several_endings(pytester: pytest.Pytester, lines: None) -> None:
    names = ("out.json", "two.JSON", "out.lines", "out.html")
    ended = pytester.runpytest_inprocess(*LISTS, *(f"--reedbackup-report={n}" for n in names))
    assert ended.ret == pytest.ExitCode.OK
    for name in names[:2]:
        assert json.loads((pytester.path / name).read_text())["footer"]["complete"] is True
    assert (pytester.path / "out.lines").read_text().startswith("held: ")
    assert (pytester.path / "out.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["out", "out.htm", "out.json.gz"])
def test_an_ending_that_says_nothing_is_refused_with_what_to_type(
    pytester: pytest.Pytester, name: str
) -> None:
    ended = pytester.runpytest_inprocess(*LISTS, f"--reedbackup-report={name}")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    stem = name.rpartition(".")[0] or name
    typed = f"--reedbackup-report={stem}.json or --reedbackup-report={stem}.html"
    assert f"ERROR: --reedbackup-report: the ending of {name} says nothing" in ended.stderr.str()
    assert typed in ended.stderr.str()


def test_the_json_report_has_the_cause_and_the_yardstick_apart_from_the_words(
    tmp_path: Path,
) -> None:
    path = tmp_path / "report.json"
    writer = JsonReport(path)
    writer.start(RunRecord.begin([], seed=7, examples=1))
    writer.case(case_outcome(Outcome.FAIL, cause=Cause.TREE, found="no such file"))
    writer.case(case_outcome(Outcome.PASS, measured="4 ms", yardstick="a slow machine"))
    writer.finish([], None)
    report = json.loads(path.read_text())
    assert report["header"]["seed"] == 7
    assert [case["cause"] for case in report["cases"]] == ["tree", None]
    measured = report["cases"][1]
    assert (measured["measured"], measured["yardstick"]) == ("4 ms", "a slow machine")


STALE = """
[[divergence]]
implementation = "python"
case = "ticket/list/order"
reason = "it was so once"
id = "D99"
"""


def test_causes_come_from_the_case_to_the_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(mine=MINE)
    (pytester.path / "stale.toml").write_text(STALE)
    pytester.runpytest_subprocess(
        "--reedbackup-impl=python",
        "--reedbackup-impl=mine:Reversed",
        "--reedbackup-case=ticket/list/order",
        "--reedbackup-divergences=stale.toml",
        "--reedbackup-report=out.json",
    )
    cases = json.loads((pytester.path / "out.json").read_text())["cases"]
    assert {case["implementation"]: (case["outcome"], case["cause"]) for case in cases} == {
        "python": ("fail", "kept"),
        "mine:Reversed": ("fail", "value"),
    }


def test_a_bounds_figures_come_with_their_yardstick(pytester: pytest.Pytester) -> None:
    """Together for people, apart for programs."""
    bound = ["--reedbackup-impl=python", "--reedbackup-case=ticket/bounds/create-10k"]
    ended = pytester.runpytest_subprocess(*bound, "--reedbackup-report=out.json")
    (case,) = json.loads((pytester.path / "out.json").read_text())["cases"]
    assert case["measured"].endswith(" of 100 ms allowed, the fastest of 7")
    assert case["yardstick"].startswith("this machine hashes 8 MiB in ")
    figures = f"  ticket/bounds/create-10k: {case['measured']}"
    after = ended.outlines[ended.outlines.index(figures) + 1]
    assert after == f"  {case['yardstick']}"
