"""`reedbackup doctor`."""

from __future__ import annotations

import argparse

from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.printing import print_json, print_line, print_sentence
from reedbase_backup.cli.quantities import counted

EXAMPLES = ("reedbackup doctor .reed", "reedbackup doctor .reed --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database."""
    add_base(parser)


def run(options: argparse.Namespace) -> int:
    """Say what is wrong, what comes of it, and what to do; fail where something is wrong."""
    from reedbase_backup.doctor.examination import examine

    findings = examine(options.base)
    problems = sum(one.is_problem for one in findings)
    if options.json:
        print_json(findings)
        return 1 if problems else 0
    # Problems first, else in the order of the examination.
    for one in sorted(findings, key=lambda finding: not finding.is_problem):
        print_sentence(f"{'problem' if one.is_problem else 'note'}: {one.path or '.'}: {one.what}")
        print_sentence(f"  then: {one.outlook}")
        if one.advice:
            print_line(f"  do:   {one.advice}")
    notes = len(findings) - problems
    if findings:
        print_sentence(f"{counted(problems, 'problem')}, {counted(notes, 'note')}.")
    else:
        print_sentence("Nothing is wrong. (reedbackup verify reads the backups whole.)")
    return 1 if problems else 0
