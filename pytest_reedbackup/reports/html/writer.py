"""The HTML report of a run, as a writer."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.reports.json_report import Report, WholeReport, write_whole


class HtmlReport(WholeReport):
    """One page with everything that came of a run."""

    def write(self, path: Path, report: Report) -> None:
        """Write the page."""
        # Few runs write one, and every run of the plugin imports this.
        from pytest_reedbackup.reports.html.page import page

        write_whole(path, page(report).encode())
