"""`reedbackup report results`: a page that only changes where an implementation does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from harness.reports.reports import report_of, sweep_of
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports import json_report
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.reports.stored.published import parts, published
from reedbase_backup.cli.commands import main

BROKEN = case_outcome(Outcome.FAIL, "restore/atomic", sweep=sweep_of(9, broken=[2]))
CASES = [
    case_outcome(Outcome.PASS, "list/order"),
    case_outcome(Outcome.PASS, "list/order/ties", defect="D4"),
    BROKEN,
    case_outcome(Outcome.FAIL, "restore/atomic/calls"),
]


def test_a_part_has_the_verdict_and_each_rule_with_its_defects() -> None:
    (part,) = parts(report_of(CASES))
    assert part.startswith("## python (Python) under contract ticket\n")
    assert "**does not conform**: of 2 rules 1 kept, 1 broken." in part
    assert "| kept | `list/order` (D4) |" in part
    assert "| BROKEN | `restore/atomic` |" in part


def test_other_times_other_places_more_cases_and_another_sample_make_the_same_page() -> None:
    more = case_outcome(Outcome.PASS, "restore/atomic/more")
    kept = [*CASES[:2], case_outcome(Outcome.PASS, "restore/atomic"), CASES[3], more]
    again = [msgspec.structs.replace(case, duration_secs=5.0, node_id="x") for case in kept]
    report = report_of(again, ["--reedbackup-report=/elsewhere"])
    header = msgspec.structs.replace(report.header, started="2020", machine={"system": "Other"})
    other = msgspec.structs.replace(report, header=header)
    assert published([other]) == published([report_of(CASES)])


def test_a_rule_that_comes_out_otherwise_makes_another_page() -> None:
    mended = [*CASES[:2], *(case_outcome(Outcome.PASS, case.case_id[7:]) for case in CASES[2:])]
    assert published([report_of(mended)]) != published([report_of(CASES)])


def test_a_name_of_strangers_is_no_markdown() -> None:
    report = report_of(CASES)
    (held,) = report.implementations
    name = "[x](http://x)|<b>`\u202e"
    strange = msgspec.structs.replace(
        report, implementations=[msgspec.structs.replace(held, name=name)]
    )
    heading = published([strange]).partition("## ")[2].partition("\n")[0]
    assert not re.search(r"(?<!\\)[\[\]<>|`]|\u202e", heading)


def test_the_page_is_written_of_all_files_and_over_none_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    reports: list[Report] = [report_of(CASES), report_of(CASES[:2])]
    for path, report in zip(files, reports, strict=True):
        json_report.write(path, report)
    out = tmp_path / "new" / "results.md"
    assert main(["report", "results", *map(str, files), "--out", str(out)]) == 0
    assert out.read_text() == published(reports)
    assert main(["report", "results", *map(str, files), "--out", str(files[1])]) == 2
    assert "hint: give another file to --out" in capsys.readouterr().err
