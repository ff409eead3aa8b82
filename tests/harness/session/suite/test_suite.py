"""The main job, end to end: the suite against implementations that must conform."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from documents.results import check_published

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports.json_report import Report

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
ONLY_IN_PROCESS = "pyfakefs"


def test_the_reference_conforms_in_process_and_behind_the_protocol_case_by_case(
    run_suite: RunSuite,
) -> None:
    ended, report = run_suite("python", SERVED)
    assert ended.returncode == 0, ended.stdout
    assert [one.verdict for one in report.implementations] == ["conforms", "conforms"]
    in_process, served = (_outcomes(report, option) for option in ("python", SERVED))
    only_in_process = {case.case_id for case in report.cases if case.missing == ONLY_IN_PROCESS}
    assert only_in_process
    assert {case for case in in_process if in_process[case] != served[case]} == only_in_process
    skipped = {case for case, outcome in in_process.items() if outcome is not Outcome.PASS}
    assert skipped == {case.case_id for case in report.cases if case.missing == NEEDS_A_BASELINE}
    assert {case.rule for case in report.cases} == RULES["ticket"].keys()
    assert {_function(case) for case in report.cases} >= SIX_BEHAVIOURS
    check_published(report)


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


def _outcomes(report: Report, implementation: str) -> dict[str, Outcome]:
    return {c.case_id: c.outcome for c in report.cases if c.implementation == implementation}


def _function(case: CaseOutcome) -> str:
    return case.node_id.rpartition("::")[2].partition("[")[0]
