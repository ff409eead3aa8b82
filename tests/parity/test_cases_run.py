"""The two fuzzing cases of contract `last` as a user runs them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from last.baseline.undeclared import UNDECLARED_PORT
from parity.port_mutants import mutant
from parity.port_mutants.model import served

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports.json_report import Report

pytestmark = pytest.mark.slow

RunSuite = Callable[..., tuple[subprocess.CompletedProcess[str], Report]]

PARITY = "--reedbackup-case=last/parity/fuzz"
PICK = "--reedbackup-case=last/restore/pick/fuzz"
PROJECT = Path(__file__).resolve().parents[2]
BASELINE = "tests.last.baseline.imitation:Baseline"
ITSELF = "parity.side_effects:PortWithSideEffect"

DECLARED = """
[[divergence]]
implementation = "undeclared:Undeclared"
case = "{case}"
reason = "does the safe thing"
id = "{defect}"
"""
CASES = {
    "D7": "last/log/no-final-newline",
    "D9": "last/restore/no-current/deltas-there",
    "D10": "last/restore/leftovers/a-later-delta",
    "D15": "last/registry/unwritable/users-dict-is-a-folder",
    "D16": "last/registry/no-final-newline",
    "D17": "last/restore/planted/lock",
}


@pytest.fixture(autouse=True)
def _baseline_for_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{PROJECT / 'tests'}")


def only(report: Report) -> tuple[Outcome, str]:
    (case,) = report.cases
    return case.outcome, case.detail


def test_a_difference_fails_with_the_command_and_the_folder(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    mutated = served(mutant("skipped-as-an-error"), tmp_path / "copy")
    options = ("--reedbackup-baseline=python-last", PARITY, "--reedbackup-seed=1")
    ended, report = run_suite(mutated, options=options)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    (case,) = report.cases
    assert case.outcome is Outcome.FAIL
    assert case.expected.startswith("skipped")
    assert case.found.startswith("error TableNotFound")
    assert "databases" in case.measured
    kept = Path(ended.stdout.split("kept in ")[1].split("\n")[0])
    assert (kept / "database" / ".reed" / "tables").is_dir()
    readme = (kept / "README.txt").read_text("utf-8")
    assert "--reedbackup-baseline=python-last" in readme
    assert case.repeat in re.sub(r" \\\n +", " ", ended.stdout)
    assert case.repeat in readme


def test_all_examples_are_of_the_case_that_is_chosen_alone(run_suite: RunSuite) -> None:
    options = ("--reedbackup-baseline=python-last", "--reedbackup-examples=8")
    _, alone = run_suite("python-last", options=(*options, PARITY))
    _, shared = run_suite("python-last", options=(*options, PARITY, PICK))
    assert alone.cases[0].measured.startswith("8 databases")
    (parity,) = (case for case in shared.cases if case.case_id == "last/parity/fuzz")
    assert parity.measured.startswith("4 databases")


def test_without_a_baseline_or_one_of_contract_last_it_is_skipped(run_suite: RunSuite) -> None:
    outcome, detail = only(run_suite("python-last", options=(PARITY,))[1])
    assert (outcome, "a baseline" in detail) == (Outcome.SKIP, True)
    options = (PARITY, "--reedbackup-baseline=python")
    outcome, detail = only(run_suite("python-last", options=options)[1])
    assert (outcome, "a baseline of contract last" in detail) == (Outcome.SKIP, True)


def test_an_implementation_of_the_ticket_is_no_match_for_a_baseline_of_last(
    run_suite: RunSuite,
) -> None:
    options = (PARITY, "--reedbackup-baseline=python-last", "--reedbackup-contract=last")
    outcome, _ = only(run_suite("python", options=options)[1])
    assert outcome is Outcome.FAIL


def test_a_recording_made_without_a_baseline_is_one_for_others(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    examples = "--reedbackup-examples=12"
    # The port itself: of the imitation there is no saying beyond what its document says.
    run_suite(ITSELF, options=(PARITY, examples, "--reedbackup-record=last.recording"))
    compared = (PARITY, examples, "--reedbackup-baseline=replay:last.recording")
    ended, report = run_suite("python-last", options=compared)
    assert only(report)[0] is Outcome.PASS, ended.stdout
    assert report.cases[0].measured.startswith("12 databases")
    _, report = run_suite(served(mutant("written-by-admin"), tmp_path / "copy"), options=compared)
    (case,) = report.cases
    assert case.outcome is Outcome.FAIL
    assert "user 0" in case.expected
    assert "user 1" in case.found


def test_a_fault_of_the_baseline_is_an_error_and_names_it(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    (tmp_path / "dies.py").write_text(
        UNDECLARED_PORT.replace("Undeclared", "Dies").replace(
            "staticmethod(last.restore_point_in_time)",
            "lambda self, base_path, target_timestamp: exit(3)",
        )
    )
    options = (PARITY, "--reedbackup-baseline=dies:Dies")
    outcome, detail = only(run_suite("python-last", options=options)[1])
    assert outcome is Outcome.ERROR
    assert "the baseline dies:Dies" in detail


def test_the_baseline_keeps_the_promise_and_so_does_who_declares(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    (tmp_path / "undeclared.py").write_text(UNDECLARED_PORT)
    declared = tmp_path / "divergences.toml"
    declared.write_text("".join(DECLARED.format(case=c, defect=d) for d, c in CASES.items()))
    options = (PICK, "--reedbackup-examples=50", f"--reedbackup-divergences={declared}")
    ended, report = run_suite(BASELINE, "undeclared:Undeclared", options=options)
    assert [case.outcome for case in report.cases] == [Outcome.PASS] * 2, ended.stdout


def test_an_undeclared_defect_breaks_the_promise_and_is_told_with_its_number(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    (tmp_path / "undeclared.py").write_text(UNDECLARED_PORT)
    ended, report = run_suite("undeclared:Undeclared", options=(PICK, "--reedbackup-examples=300"))
    assert only(report)[0] is Outcome.FAIL
    assert any(f"this is just defect {defect}" in ended.stdout for defect in CASES)
    assert "declare it (--reedbackup-divergences)" in ended.stdout
