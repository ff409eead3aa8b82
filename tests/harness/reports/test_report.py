"""The JSON report: published schema, and a cut report that is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.model.grouping import grouped
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.reports import json_report
from pytest_reedbackup.reports.json_report import Footer, IncompleteReport, Report


@pytest.fixture
def report() -> Report:
    outcome = CaseOutcome(
        case_id="ticket/list/order",
        rule="list/order",
        promise="List shows the newest backup first.",
        implementation="python",
        contract="ticket",
        outcome=Outcome.FAIL,
        node_id="test_ticket_list.py::test_list_backups",
        repeat="pytest --reedbackup-impl=python",
        duration_secs=0.5,
        expected="[3, 2, 1]",
        found="[1, 2, 3]",
    )
    return Report(
        header=json_report.header(
            RunRecord.begin(["--reedbackup-impl=python"], seed=0, examples=40)
        ),
        implementations=[],
        causes=grouped([outcome]),
        cases=[outcome],
        divergences=[],
        drift=None,
        footer=Footer(cases=1, complete=True),
    )


def test_a_report_reads_as_it_was_written(report: Report, tmp_path: Path) -> None:
    json_report.write(tmp_path / "new folder" / "report.json", report)
    assert json_report.read(tmp_path / "new folder" / "report.json") == report
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["report.json"]


def test_a_report_cut_anywhere_is_noticed(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    json_report.write(path, report)
    whole = path.read_bytes().rstrip()
    for kept in range(0, len(whole), 7):
        path.write_bytes(whole[:kept])
        with pytest.raises(IncompleteReport):
            json_report.read(path)


def test_a_report_that_lost_a_case_is_noticed(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    json_report.write(path, msgspec.structs.replace(report, cases=[]))
    with pytest.raises(IncompleteReport, match="holds 0 cases, its footer counts 1"):
        json_report.read(path)


def test_a_report_that_says_that_it_is_not_whole_is_believed(
    report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    footer = msgspec.structs.replace(report.footer, complete=False)
    json_report.write(path, msgspec.structs.replace(report, footer=footer))
    with pytest.raises(IncompleteReport, match="its footer says so"):
        json_report.read(path)


def any_order(schema: Any) -> Any:
    """The same with its alternatives sorted: each msgspec has an order of its own."""
    if isinstance(schema, list):
        return sorted(map(any_order, schema), key=json.dumps)
    if isinstance(schema, dict):
        return {key: any_order(value) for key, value in schema.items()}
    return schema


def test_the_published_schema_is_that_of_the_report() -> None:
    published = Path(json_report.__file__).with_name("report.schema.json").read_text()
    assert any_order(json.loads(published)) == any_order(json.loads(json_report.schema_text()))
    required = json.loads(published)["$defs"]["Report"]["required"]
    assert {"header", "cases", "footer"} <= set(required)
