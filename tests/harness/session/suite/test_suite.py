"""The main job, end to end: the suite against implementations that must conform."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from documents.results import check_published

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.session.planning import cases_of

pytestmark = pytest.mark.slow

RunSuite = Callable[..., tuple[subprocess.CompletedProcess[str], Report]]

SERVED = shlex.join([sys.executable, "-m", "reedbase_backup", "serve"])

# Ticket 060-OPS-01, Step 5, "Test coverage".
SIX_BEHAVIOURS = {
    "test_create_backup",
    "test_list_backups",
    "test_restore_point_in_time",
    "test_backup_compression",
    "test_backup_cleanup_old",
    "test_restore_missing_backup",
}
NEEDS_A_BASELINE = "a baseline"


def test_the_reference_conforms_with_a_sample_of_all_sweeps(run_suite: RunSuite) -> None:
    ended, report = run_suite("python")
    assert ended.returncode == 0, ended.stdout
    assert [one.verdict for one in report.implementations] == ["conforms"]
    _expect_all_kept_but_what_needs_a_baseline(report)
    assert {case.rule for case in report.cases} == RULES["ticket"].keys()
    assert {_function(case) for case in report.cases} >= SIX_BEHAVIOURS
    check_published(report)


def test_behind_the_protocol_the_reference_conforms_case_by_case(run_suite: RunSuite) -> None:
    # Sweeps are of processes of its own either way.
    ended, report = run_suite(SERVED, options=["--reedbackup-faults=off"])
    assert ended.returncode == 0, ended.stdout
    (served,) = report.implementations
    assert served.verdict == "conforms as far as it was tried"
    _expect_all_kept_but_what_needs_a_baseline(report)
    own = cases_of("ticket")
    assert {one.case_id for one in report.cases} == {one.id for one in own if not one.is_sweep}


def test_a_planted_point_is_there_again_in_a_later_second(run_suite: RunSuite) -> None:
    # Workers share points by their names, too, which have the second of a backup in them.
    case = "--reedbackup-case=ticket/restore/planted/create-at-each-call"
    _, first = run_suite("python", options=[case])
    point = next(one for one in _points(first) if ".tar.gz" in one)
    began = time.time()
    while int(time.time()) == int(began):
        time.sleep(0.05)
    _, again = run_suite("python", options=[case, f"--reedbackup-point={point}"])
    assert _points(again) == [point]


def _points(report: Report) -> list[str]:
    (case,) = report.cases
    assert case.sweep is not None, case.detail
    return [result.point for result in case.sweep.results]


def test_a_disk_in_memory_is_for_implementations_in_this_process(run_suite: RunSuite) -> None:
    _, report = run_suite(SERVED, options=["--reedbackup-case=ticket/*/failing-call/fake-disk"])
    found = {(case.outcome, case.missing) for case in report.cases}
    assert found == {(Outcome.SKIP, "pyfakefs")}


def _expect_all_kept_but_what_needs_a_baseline(report: Report) -> None:
    others = [case for case in report.cases if case.outcome is not Outcome.PASS]
    assert {(case.outcome, case.missing) for case in others} == {(Outcome.SKIP, NEEDS_A_BASELINE)}


def test_the_first_line_of_the_summary_is_the_verdict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--reedbackup-impl=python"]
    ended = subprocess.run(
        [*command, "--reedbackup-case=ticket/list/order"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ended.stdout.splitlines()
    heading = next(n for n, line in enumerate(lines) if " reedbackup " in line and "==" in line)
    assert lines[heading + 1].startswith("python under contract ticket: conforms")


def _function(case: CaseOutcome) -> str:
    return case.node_id.rpartition("::")[2].partition("[")[0]
