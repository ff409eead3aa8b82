"""The reference of contract `ticket` under contract `last`: what it keeps and breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.drift.rows import Row
from pytest_reedbackup.model.case import Comparison
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.session.planning import cases_of

pytestmark = pytest.mark.slow

KEPT = {
    "create/archive": "both write backups/{seconds}.tar.gz in gzip",
    "create/info": "path and size follow from id and size_bytes",
    "create/source-untouched": "both only read",
    "list/empty": "both give an empty list",
    "list/read-only": "both only read",
    "surface/functions": "the same three functions",
}
"""What it keeps of contract `last`, and why."""

_READS_ARCHIVES = "restore extracts an archive, and the database has none"
_OTHER_ERRORS = "other operations and words in errors"

BROKEN = {
    "create/content": "tables/ and indices/ only",
    "create/own-backups": "backups/ is never archived",
    "create/same-second": "both backups are kept",
    "create/keeps-all": "32 are kept",
    "create/missing-base": "refused",
    "create/interrupted": "tables/ and indices/ only",
    "create/error": _OTHER_ERRORS,
    "create/tar-failure": "no tar is run",
    "create/power-cut": "tables/ and indices/ only, with or without a power cut",
    "list/order": "what is no archive is not listed",
    "list/info": "what is no archive is not listed",
    "list/names": "what is no archive is not listed",
    "list/error": "no archives are seen, and that is no error",
    "list/not-archives": "what is no archive is not listed",
    "surface/types": "the types have other fields",
    "surface/report-state": "the report has no tables, so no state",
    **{
        rule: _READS_ARCHIVES
        for rule in RULES["last"]
        if rule.split("/")[0] in ("restore", "log", "delta", "registry")
    },
}
"""What it breaks, and why."""

# Compares with a baseline, and says nothing of the contract alone.
_PARITY = {each.rule for each in cases_of("last") if each.comparison is Comparison.BASELINE}


@pytest.fixture(scope="module")
def report(reported: Callable[..., Report]) -> Report:
    return reported(
        "--reedbackup-impl=python",
        "--reedbackup-contract=last",
        *(f"--reedbackup-case=last/{part}*" for part in "cdlrs"),
    )


@pytest.fixture(scope="module")
def rows(report: Report) -> dict[str, Row]:
    """By rule."""
    assert report.drift is not None
    (part,) = report.drift.implementations
    return {row.subject: row for row in part.rows}


def test_the_pinned_rules_are_all_rules_but_parity() -> None:
    assert not BROKEN.keys() & KEPT.keys()
    assert BROKEN.keys() | KEPT.keys() == RULES["last"].keys() - _PARITY


def test_python_keeps_and_breaks_just_these_rules_of_last(rows: dict[str, Row]) -> None:
    assert {rule for rule, row in rows.items() if row.outcome is Outcome.PASS} == KEPT.keys()
    assert {rule for rule, row in rows.items() if row.outcome is Outcome.FAIL} == BROKEN.keys()


def test_no_translated_case_is_an_error(report: Report) -> None:
    assert [case for case in report.cases if case.outcome is Outcome.ERROR] == []
    assert all(case.missing for case in report.cases if case.outcome is Outcome.SKIP)


def test_a_rules_defects_are_those_of_its_cases(rows: dict[str, Row]) -> None:
    assert rows["create/own-backups"].defects == ["D1", "D3"]
    assert rows["create/keeps-all"].defects == ["D5"]
    assert rows["restore/pick"].defects == []
