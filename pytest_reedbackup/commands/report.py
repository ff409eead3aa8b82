"""`reedbackup report`: everything is made from the JSON report of a run, and nothing runs again."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.reports import json_report, registry
from pytest_reedbackup.reports.json_report import IncompleteReport, Report, write_whole
from pytest_reedbackup.reports.stored.runs import record_of, results_of, with_visible_texts
from pytest_reedbackup.reports.writer import drive
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.printing import print_json, print_line, showable

EXAMPLES = (
    "reedbackup report show report.json",
    "reedbackup report html report.json --out report.html",
    "reedbackup report diff old.json new.json",
    "reedbackup report badge report.json",
    "reedbackup report results python.json rust.json --out results.md",
)

_WRONG_CALL = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to do, and the reports."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, act, words in (
        ("show", _show, "print the summary that the run ended with"),
        ("html", _html, "write the page of a report: one file, to be looked at anywhere"),
        ("badge", _badge, "write the verdict as an SVG badge"),
    ):
        action = actions.add_parser(name, help=words, description=f"{words.capitalize()}.")
        action.add_argument("file", type=Path, metavar="FILE.json", help="a run's JSON report")
        action.set_defaults(act=act)
        if name != "show":
            action.add_argument(
                "--out",
                type=Path,
                metavar="PATH",
                help=f"the file to write (default: beside FILE.json, ending in {_ENDINGS[name]})",
            )
    words = "write the verdicts of runs as a page in Markdown that says the same of every such run"
    results = actions.add_parser("results", help=words, description=f"{words.capitalize()}.")
    results.add_argument("files", type=Path, nargs="+", metavar="FILE.json", help="JSON reports")
    results.add_argument("--out", type=Path, required=True, metavar="PATH", help="file to write")
    results.set_defaults(act=_results)
    words = "say what a run broke, mended or slowed down that another did not"
    diff = actions.add_parser(
        "diff", help=words, description=f"{words.capitalize()}; status 1 where it is a regression."
    )
    diff.add_argument("old", type=Path, metavar="OLD.json", help="the report of the earlier run")
    diff.add_argument("new", type=Path, metavar="NEW.json", help="the report of the later run")
    diff.add_argument("--json", action="store_true", help="print JSON")
    diff.set_defaults(act=_diff)


def run(options: argparse.Namespace) -> int:
    """Do what is asked for."""
    status: int = options.act(options)
    return status


def _show(options: argparse.Namespace) -> int:
    report = with_visible_texts(_read(options.file))
    writers = registry.screen_writers(_Screen())
    drive(writers, record_of(report), report.cases, results_of(report), report.drift)
    return 0


def _html(options: argparse.Namespace) -> int:
    from pytest_reedbackup.reports.html.page import page

    return _write(_beside(options), page(_read(options.file)), [options.file])


def _badge(options: argparse.Namespace) -> int:
    from pytest_reedbackup.reports.stored.badge import badge

    return _write(_beside(options), badge(results_of(_read(options.file))), [options.file])


def _results(options: argparse.Namespace) -> int:
    from pytest_reedbackup.reports.stored.published import published

    return _write(options.out, published([_read(file) for file in options.files]), options.files)


def _diff(options: argparse.Namespace) -> int:
    from pytest_reedbackup.reports.stored.changes import changes, lines

    found = changes(_read(options.old), _read(options.new))
    if options.json:
        print_json(found.fields())
    else:
        for line in lines(found, shutil.get_terminal_size().columns):
            print_line(line)
    return int(found.is_regression)


_ENDINGS = {"html": ".html", "badge": ".svg"}


def _read(path: Path) -> Report:
    try:
        return json_report.read(path)
    except IncompleteReport as error:
        advice = "give a file that pytest --reedbackup-report=PATH.json has written"
        raise Failed("IncompleteReport", str(error), advice, status=_WRONG_CALL) from error


def _beside(options: argparse.Namespace) -> Path:
    path: Path = options.out or options.file.with_suffix(_ENDINGS[options.action])
    return path


def _write(path: Path, content: str, read: Sequence[Path]) -> int:
    if path.resolve() in [file.resolve() for file in read]:
        raise Failed(
            "SameFile",
            f"{path} is the report that is read",
            "give another file to --out",
            status=_WRONG_CALL,
        )
    try:
        write_whole(path, content.encode())
    except OSError as error:
        advice = "give a file in a folder that you may write to"
        raise Failed("IoError", f"cannot write {path}: {error.strerror}", advice) from error
    print_line(f"wrote {path}")
    return 0


class _Screen:
    """stdout, as writers of reports see it."""

    def __init__(self) -> None:
        self.width = shutil.get_terminal_size().columns
        self.has_colour = sys.stdout.isatty()
        self.is_verbose = False

    def section(self, title: str) -> None:
        """Begin a part under a line with its title."""
        sys.stdout.write(f" {title} ".center(self.width, "=") + "\n")

    def write(self, text: str) -> None:
        """Write lines."""
        sys.stdout.write(showable(text))
