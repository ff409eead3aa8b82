"""What docs/results.md says of a run that a test has made."""

from __future__ import annotations

from documents.pages import PROJECT

from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.reports.stored.published import parts


def check_published(report: Report) -> None:
    """Hold the page against a run's first implementation; CONTRIBUTING.md says what mends it."""
    assert next(parts(report)) in (PROJECT / "docs/results.md").read_text()
