"""`reedbackup cases`."""

from __future__ import annotations

import argparse
import fnmatch
import shutil
import sys
from collections.abc import Sequence
from itertools import groupby

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.case import Case
from pytest_reedbackup.reports.terminal.wrapping import labelled
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.printing import print_json, print_line, print_table

EXAMPLES = (
    "reedbackup cases",
    "reedbackup cases --contract ticket restore/pick",
    "reedbackup cases 'ticket/*/power-cut*' --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a contract and a pattern."""
    parser.add_argument("--contract", choices=tuple(RULES), help="only the cases of this contract")
    parser.add_argument(
        "pattern", nargs="?", metavar="PATTERN", help="part of an id, or a pattern: ticket/list/*"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print the cases: to a terminal rule by rule, elsewhere as a table of tabs."""
    chosen = _chosen(options.contract, options.pattern)
    if options.json:
        print_json([_fields(case) for case in chosen])
    elif sys.stdout.isatty():
        _print_by_rule(chosen, shutil.get_terminal_size().columns)
    else:
        rows = [[case.id, case.rule, case.promise] for case in chosen]
        print_table(["id", "rule", "promise"], rows)
    return 0


def _chosen(contract: str | None, pattern: str | None) -> list[Case]:
    """Return the cases that are asked for, by rule in the order of checking."""
    # Here, for it imports the suite.
    from pytest_reedbackup.session.planning import suite_cases

    order = [(name, rule) for name, rules in RULES.items() for rule in rules]
    cases = sorted(suite_cases(), key=lambda case: order.index(_rule(case)))
    chosen = [
        case
        for case in cases
        if contract in (None, case.contract) and (pattern is None or _fits(case.id, pattern))
    ]
    if not chosen:
        raise Failed("NoSuchCase", f"no case has {pattern} in its id", "reedbackup cases has all")
    return chosen


def _fits(case_id: str, pattern: str) -> bool:
    return pattern in case_id or fnmatch.fnmatchcase(case_id, pattern)


def _rule(case: Case) -> tuple[str, str]:
    return case.contract, case.rule


def _print_by_rule(cases: Sequence[Case], width: int) -> None:
    for (contract, rule), of_rule in groupby(cases, key=_rule):
        for line in labelled("", f"{contract}/{rule} {RULES[contract][rule]}", width):
            print_line(line)
        for case in of_rule:
            for line in labelled("  ", f"{case.id} — {case.promise}", width):
                print_line(line)
        print_line("")


def _fields(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "contract": case.contract,
        "rule": case.rule,
        "rule_promises": RULES[case.contract][case.rule],
        "promise": case.promise,
        "is_basic": case.is_basic,
        "defect": case.defect,
    }
