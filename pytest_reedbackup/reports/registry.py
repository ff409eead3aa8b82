"""Which reports there are: the one place that a new writer is added to, by one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.reports.divergences_file import DivergencesFile
from pytest_reedbackup.reports.drift_table import DriftTable
from pytest_reedbackup.reports.html.writer import HtmlReport
from pytest_reedbackup.reports.json_report import JsonReport
from pytest_reedbackup.reports.junit import JUnitReport
from pytest_reedbackup.reports.terminal.summary import Summary
from pytest_reedbackup.reports.words.markdown import MarkdownSummary
from pytest_reedbackup.reports.writer import Screen, Writer


@dataclass(frozen=True)
class FileReport:
    """A report that goes into a file: the option that asks for it, and what writes it."""

    option: str
    make: Callable[[Path], Writer]
    ending: str = ""
    """Of the files that it is for, as `.json`; empty where the option is for it alone."""


FILES: tuple[FileReport, ...] = (
    FileReport("--reedbackup-report", JsonReport, ".json"),
    FileReport("--reedbackup-report", HtmlReport, ".html"),
    FileReport("--reedbackup-junit", JUnitReport),
    FileReport("--reedbackup-write-divergences", DivergencesFile),
)

SCREEN: tuple[Callable[[Screen], Writer], ...] = (Summary, DriftTable)
"""What every run says in the terminal, in this order."""


BY_ENVIRONMENT: Mapping[str, Callable[[Path], Writer]] = {"GITHUB_STEP_SUMMARY": MarkdownSummary}
"""What is written where a variable names a file, which the run has not made."""


def environment_writers(environment: Mapping[str, str]) -> Sequence[Writer]:
    """Return what writes into the files that these variables name, where they can be written to."""
    return [
        make(Path(environment[name]))
        for name, make in BY_ENVIRONMENT.items()
        if os.access(environment.get(name, ""), os.W_OK)
    ]


def options() -> Sequence[str]:
    """Return the options that ask for files."""
    return tuple(dict.fromkeys(report.option for report in FILES))


def refusal(option: str, path: Path) -> str:
    """Return why `option` writes no such file, and what to type; empty where it does."""
    if _report(option, path):
        return ""
    endings = [report.ending for report in FILES if report.option == option]
    typed = " or ".join(f"{option}={path.stem}{ending}" for ending in endings)
    return f"{option}: the ending of {path.name} says nothing of what to write; give {typed}"


def file_writer(option: str, path: Path) -> Writer:
    """Return what writes the file that `option` asks for, of which there is no refusal."""
    report = _report(option, path)
    assert report is not None
    return report.make(path)


def _report(option: str, path: Path) -> FileReport | None:
    fitting = (r for r in FILES if r.option == option and r.ending in ("", path.suffix.lower()))
    return next(fitting, None)


def screen_writers(screen: Screen) -> Sequence[Writer]:
    """Return what writes in the terminal."""
    return [make(screen) for make in SCREEN]
