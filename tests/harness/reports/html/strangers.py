"""What strangers may have written, and a report that is full of it."""

from __future__ import annotations

from harness.reports.reports import report_of, sweep_of
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.reports.json_report import Report

HOSTILE = (
    "</script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</script x><!-- <script y",
    "{{ 7 * 7 }}{% raw %}",
    "\x00\x07\x1b[31m\x9b",
    "\u202egpj.exe",
    "\ud800 alone",
    "שלום",
    "a" * 100_000,
)


def report_of_stranger(value: str) -> Report:
    """Return the report of a run in which every text that a stranger may choose is this one."""
    case = case_outcome(
        Outcome.FAIL,
        f"restore/{value}/x",
        implementation=value,
        promise=value,
        repeat=value,
        detail=value,
        expected=value,
        found=f"{value} not",
        measured=value,
        yardstick=value,
        defect=value,
        node_id=value,
        sweep=sweep_of(3, broken=[2], words=value),
    )
    return report_of([case], [value])
