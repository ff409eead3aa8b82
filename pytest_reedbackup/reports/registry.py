"""Which reports there are: the one place that a new writer is added to, by one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.reports.divergences_file import DivergencesFile
from pytest_reedbackup.reports.drift_table import DriftTable
from pytest_reedbackup.reports.json_report import JsonReport
from pytest_reedbackup.reports.junit import JUnitReport
from pytest_reedbackup.reports.summary import Summary
from pytest_reedbackup.reports.writer import Screen, Writer


@dataclass(frozen=True)
class FileReport:
    """A report that goes into a file: the option that asks for it, and what writes it."""

    option: str
    make: Callable[[Path], Writer]
    ending: str = ""
    """Of the files that it is for, as `.json`; empty for all that no other report is for."""


FILES: tuple[FileReport, ...] = (
    FileReport("--reedbackup-report", JsonReport),
    FileReport("--reedbackup-junit", JUnitReport),
    FileReport("--reedbackup-write-divergences", DivergencesFile),
)

SCREEN: tuple[Callable[[Screen], Writer], ...] = (Summary, DriftTable)
"""What every run says in the terminal, in this order."""


def options() -> Sequence[str]:
    """Return the options that ask for files."""
    return tuple(dict.fromkeys(report.option for report in FILES))


def file_writer(option: str, path: Path) -> Writer:
    """Return what writes the file that `option` asks for."""
    by_ending = {report.ending: report for report in FILES if report.option == option}
    return by_ending.get(path.suffix, by_ending[""]).make(path)


def screen_writers(screen: Screen) -> Sequence[Writer]:
    """Return what writes in the terminal."""
    return [make(screen) for make in SCREEN]
