"""Runs with and without a translation: the other way round, in workers, beside others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports.json_report import Report

pytestmark = pytest.mark.slow

RunPytest = Callable[..., subprocess.CompletedProcess[str]]
Reported = Callable[..., Report]

LAST = ("--reedbackup-impl=python-last", "--reedbackup-contract=ticket")
FOREIGN = "--reedbackup-case=ticket/list/foreign*"

OWN_CASES = """
from pytest_reedbackup.model.case import case
from pytest_reedbackup.checks.expectations import expect, expect_that

@case("last/restore/report", "Restore reports the target and each table's version.")
def test_the_report(reedbackup, reedbackup_db):
    reedbackup.create_backup(reedbackup_db)
    report = reedbackup.restored(reedbackup_db, 2**64 - 1)
    expect("target_timestamp", report.target_timestamp, 2**64 - 1)

@case("last/restore/report/names", "Restore names the tables.")
def test_the_names(reedbackup, reedbackup_db):
    reedbackup.create_backup(reedbackup_db)
    report = reedbackup.restored(reedbackup_db, 2**64 - 1)
    expect("the tables", sorted(name for name, _ in report.tables_restored), ["a", "b"])

@case("last/restore/no-tables", "Restore answers NoTablesFound or IoError without tables/.")
def test_no_tables(reedbackup, tmp_path):
    answer = reedbackup.restore_point_in_time(tmp_path, 1)
    expect("the kind", answer.kind, "NoTablesFound")

@case("last/create/info", "Create describes the archive by timestamp, path and size.")
def test_info(reedbackup, reedbackup_db):
    made = reedbackup.created(reedbackup_db)
    expect("the path", made.path, f"{reedbackup_db}/backups/{made.timestamp}.tar.gz")
    expect_that(0 < made.size_mb < 1, "size_mb", expected="a share of 1", found=made.size_mb)

@case("last/mine/own", "A rule of the user's own.")
def test_own(reedbackup, reedbackup_db):
    expect("the list", reedbackup.listed(reedbackup_db), [])
"""


def test_python_is_held_against_last(reported: Reported, tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(OWN_CASES)
    python = ("--reedbackup-impl=python", "--reedbackup-contract=last")
    report = reported(str(tmp_path), *python)
    assert report.drift is not None
    (part,) = report.drift.implementations
    assert (part.contract, part.translated_from) == ("last", "ticket")
    rows = {row.subject: row for row in part.rows}
    assert {rule: (row.outcome, row.cases) for rule, row in rows.items()} == {
        "create/info": (Outcome.PASS, "1 of 1"),
        "restore/report": (Outcome.FAIL, "2 of 2"),
        "restore/no-tables": (Outcome.FAIL, "1 of 1"),
        "mine/own": (Outcome.PASS, "1 of 1"),
    }
    assert "found (not said by ticket)" in rows["restore/report"].found
    refused = "expected 'NoTablesFound'\nfound 'BackupNotFound'"
    assert refused in rows["restore/no-tables"].found
    says = "three numbers: tables_restored, total_bytes, duration_ms"
    assert (rows["restore/report"].ticket, rows["restore/report"].place) == (says, "Public Types")
    assert rows["mine/own"].baseline == "A rule of the user's own."
    assert rows["mine/own"].ticket == "says nothing about it"


def test_workers_report_the_same_drift(reported: Reported) -> None:
    def outcomes(*more: str) -> list[tuple[str, str, str]]:
        report = reported(*LAST, FOREIGN, *more)
        assert report.drift is not None
        (part,) = report.drift.implementations
        return [(row.subject, row.outcome, row.cases) for row in part.rows]

    assert outcomes() == outcomes("-n", "2") != []


def test_a_translation_stands_beside_the_others_in_the_matrix(run_pytest: RunPytest) -> None:
    ended = run_pytest("--reedbackup-impl=python", *LAST, FOREIGN)
    assert "python under contract ticket: conforms" in ended.stdout
    assert "python-last under contract ticket, translated from last: does not" in ended.stdout
    (row,) = [line for line in ended.stdout.splitlines() if line.startswith("list/")]
    assert row.split() == ["list/foreign", "kept", "BROKEN"]
    headline = "python-last under contract ticket, translated from last: of 1 rules 1 broken"
    assert ended.stdout.partition(" drift ")[2].count(headline) == 1
    assert "python under contract ticket" not in ended.stdout.partition(" drift ")[2]


def test_archives_of_a_translation_are_nobody_elses_to_restore(reported: Reported) -> None:
    interchange = "--reedbackup-case=ticket/restore/foreign-archive/interchange/small"
    both = reported("--reedbackup-impl=python", *LAST, interchange)
    assert {case.implementation: case.outcome for case in both.cases} == {
        "python": Outcome.PASS,
        "python-last": Outcome.FAIL,
    }
    (alone,) = reported(*LAST, interchange).cases
    assert (alone.outcome, alone.missing) == (Outcome.SKIP, "archives of contract ticket")


def test_an_implementation_of_the_contract_shows_no_drift(
    run_pytest: RunPytest, reported: Reported
) -> None:
    python = ("--reedbackup-impl=python", FOREIGN)
    ended = run_pytest(*python)
    assert ended.returncode == pytest.ExitCode.OK
    assert " drift " not in ended.stdout
    assert reported(*python).drift is None


def test_source_code_brings_every_implementations_rules_along(
    reported: Reported, tmp_path: Path
) -> None:
    (tmp_path / "types.rs").write_text("pub struct BackupInfo {\n    pub id: String,\n}\n")
    report = reported("--reedbackup-impl=python", FOREIGN, f"--reedbackup-source={tmp_path}")
    assert report.drift is not None
    assert report.drift.source is not None
    (part,) = report.drift.implementations
    assert (part.translated_from, part.translation) == (None, [])
    assert [(row.subject, row.outcome) for row in part.rows] == [("list/foreign", Outcome.PASS)]
    assert report.drift.source.folder == str(tmp_path)
    assert len(report.drift.source.rows) == 14


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--reedbackup-source=.",), "give --reedbackup-impl=IMPL too"),
        ((*LAST, "--reedbackup-source=nowhere"), "nowhere is no folder; give that of"),
        ((*LAST, "--reedbackup-source=."), "holds none of types.rs, create.rs"),
    ],
)
def test_unusable_source_is_a_usage_error(
    run_pytest: RunPytest, arguments: tuple[str, ...], says: str
) -> None:
    ended = run_pytest(*arguments)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert says in ended.stderr
