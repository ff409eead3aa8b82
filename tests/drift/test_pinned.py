"""The safe port of the baseline under contract `ticket`: rule by rule what it keeps and breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from documents.results import check_published

from pytest_reedbackup.contracts import RULES, drift
from pytest_reedbackup.drift.rows import Row
from pytest_reedbackup.model.case import Kind
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.session.planning import suite_cases
from reedbase_backup.last import DIVERGENCES

pytestmark = pytest.mark.slow

_NO_ROOTS = "the archive's members are {dirname}/…"
_NEVER_READS = "restore never reads an archive (D14)"

BROKEN: Mapping[str, str] = {
    "create/archive": _NO_ROOTS,
    "create/content": _NO_ROOTS,
    "create/info": "table_count and compression are not said",
    "create/same-second": f"both are kept, but {_NO_ROOTS}",
    "create/no-tables": "tables/ is not looked for",
    "create/special-file": "tar takes symlinks and FIFOs",
    "create/failure-leaves-nothing": "a symlink makes no create fail",
    "create/retention": "nothing is pruned (D5)",
    "create/retention-foreign": "nothing is pruned (D5), and +5 and 007 are listed",
    "list/foreign": "+5, 007 and symlinks to archives are listed",
    "restore/pick": _NEVER_READS,
    "restore/none": "a table without a version is skipped, and that is a success",
    "restore/exact-tree": _NEVER_READS,
    "restore/modes": _NEVER_READS,
    "restore/placement": _NEVER_READS,
    "restore/planted": f"{_NEVER_READS}, so that what is restored is another tree",
    "create/hot": "tar takes no locks",
    "create/concurrent": f"{_NO_ROOTS}, and restores work on the tables",
    "restore/others-untouched": "the user system is added to users.dict where it lacks it",
    "restore/report": "total_bytes and duration_ms are not said",
    "restore/idempotent": "each restore adds a version",
    "restore/extremes": _NEVER_READS,
    "restore/corrupt": _NEVER_READS,
    "restore/hostile": _NEVER_READS,
    "restore/foreign-archive": _NEVER_READS,
    "create/durable": _NEVER_READS,
    "create/power-cut": _NEVER_READS,
    "create/failing-call": _NEVER_READS,
    "restore/durable": _NEVER_READS,
    "restore/power-cut": _NEVER_READS,
    "restore/failing-call": _NEVER_READS,
    "restore/atomic": "table by table, with versions added",
    "surface/types": "the types have other fields",
}
"""What python-last breaks of contract `ticket`, and why."""

KEPT: Mapping[str, str] = {
    "create/source-untouched": "tar only reads",
    "create/private": "the port makes its archive for its owner alone",
    "create/clock-backwards": "the clock's second is the name, and nothing is pruned",
    "create/no-indices": "restore makes no indices/",
    "create/no-base": "the port answers IoError (its answer to D6)",
    "create/compression": "tar's gzip takes two thirds off, and the port leaves backups/ out (D3)",
    "list/order": "newest first, and the port never gives a second to two backups (D4)",
    "list/empty": "an empty list",
    "list/read-only": "it only reads",
    "list/unreadable": "the port lists whole gzip files only (its answer to D11)",
    "surface/functions": "the same three functions",
}
"""What it keeps, and why."""

# Whose figures are the machine's of the moment.
_BOUNDS = {each.rule for each in suite_cases() if each.kind is Kind.BOUND}


@pytest.fixture(scope="module")
def report(reported: Callable[..., Report]) -> Report:
    return reported(
        "--reedbackup-impl=python-last",
        "--reedbackup-contract=ticket",
        "--reedbackup-examples=2",
        "--reedbackup-timeout=15",  # it waits for ever at a FIFO
        *(f"--reedbackup-case=ticket/{part}/*" for part in ("create", "list", "restore")),
        "--reedbackup-case=ticket/surface/*",
    )


@pytest.fixture(scope="module")
def rows(report: Report) -> dict[str, Row]:
    """By rule."""
    assert report.drift is not None
    (part,) = report.drift.implementations
    return {row.subject: row for row in part.rows}


def test_the_pinned_rules_are_all_rules_but_the_bounds() -> None:
    assert not BROKEN.keys() & KEPT.keys()
    assert BROKEN.keys() | KEPT.keys() == RULES["ticket"].keys() - _BOUNDS


def test_python_last_keeps_and_breaks_just_these_rules(rows: dict[str, Row]) -> None:
    assert {rule for rule, row in rows.items() if row.outcome is Outcome.FAIL} == BROKEN.keys()
    assert {rule for rule, row in rows.items() if row.outcome is Outcome.PASS} == KEPT.keys()


def test_no_translated_case_is_an_error(report: Report) -> None:
    assert [case for case in report.cases if case.outcome is Outcome.ERROR] == []
    skipped = [case for case in report.cases if case.outcome is Outcome.SKIP]
    assert all(case.missing for case in skipped)


def test_every_broken_rule_comes_with_its_evidence(rows: dict[str, Row]) -> None:
    for rule in BROKEN:
        _, expected, found = rows[rule].found.split("\n")
        assert expected.startswith("expected "), rule
        assert found.startswith("found "), rule
        assert len(found) > len("found "), rule
        broken, of = map(int, rows[rule].cases.split(" of "))
        assert 0 < broken <= of, rule


@pytest.mark.parametrize(
    ("rule", "evidence"),
    [
        (
            "create/info",
            "table_count of what came back\nexpected a value\nfound (not said by last)",
        ),
        ("create/retention", "how many backups remain of 33\nexpected 32\nfound 33"),
        ("restore/none", "expected error BackupNotFound\nfound success: LastReport("),
        ("surface/types", "found timestamp, path, size_bytes, size_mb (no id, table_count,"),
    ],
)
def test_the_evidence_says_what_drifted(rows: dict[str, Row], rule: str, evidence: str) -> None:
    assert evidence in rows[rule].found


def test_the_report_says_what_was_translated(report: Report) -> None:
    assert report.drift is not None
    (part,) = report.drift.implementations
    assert (part.contract, part.translated_from) == ("ticket", "last")
    subjects = [note.split(":")[0] for note in part.translation]
    assert subjects == ["target_timestamp", "BackupInfo", "RestoreReport"]
    (implementation,) = report.implementations
    assert implementation.translated_from == "last"
    assert implementation.verdict == "does not conform"


def test_the_drift_is_published_as_it_is(report: Report) -> None:
    check_published(report)


def test_a_case_of_a_translation_is_repeated_by_its_command(report: Report) -> None:
    for case in report.cases:
        assert "--reedbackup-contract=ticket" in case.repeat.split()


def test_every_rule_of_the_ticket_has_what_the_baseline_does() -> None:
    assert drift.BASELINE.keys() == RULES["ticket"].keys()
    named = {defect for fact in drift.BASELINE.values() for defect in fact.defects}
    # What a table loses without its current.csv has no counterpart in the ticket.
    assert named == DIVERGENCES.keys() - {"D9"}


@pytest.mark.skipif("last" not in RULES, reason="contract last has no rules yet")
def test_what_the_ticket_says_is_about_rules_of_last() -> None:
    assert drift.TICKET.keys() <= RULES["last"].keys()
