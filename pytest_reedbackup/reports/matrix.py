"""The matrix in the terminal: under each contract a row a rule, a column an implementation."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from rich.table import Table
from rich.text import Text

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.marks import MARKS

_WIDEST_MARK = max(len(word) for word, _ in MARKS.values())


def matrices(results: Sequence[Result]) -> Iterator[Table]:
    """Yield a table for each contract, in the order in which they were held against it."""
    for contract in dict.fromkeys(result.contract for result in results):
        yield _matrix(contract, [result for result in results if result.contract == contract])


def _matrix(contract: str, results: Sequence[Result]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(f"contract {contract}", no_wrap=True)
    for name in column_names([result.implementation for result in results]):
        # Names are folded, never cut: two that differ at the end stay two.
        table.add_column(name, overflow="fold", min_width=_WIDEST_MARK)
    for rule in rules_of(contract, results):
        table.add_row(rule, *(_mark(result, rule) for result in results))
    return table


def rules_of(contract: str, results: Sequence[Result]) -> Sequence[str]:
    """Return the rules that there are cases of, in the order of their contract."""
    checked = {outcome.rule for result in results for outcome in result.outcomes}
    known = [rule for rule in RULES.get(contract, ()) if rule in checked]
    return known + sorted(checked.difference(known))


def column_names(options: Sequence[str]) -> Sequence[str]:
    """Return names that differ: the programs' without their folders, where these differ."""
    short = [_without_folder(option) for option in options]
    return short if len(set(short)) == len(set(options)) else options


def _without_folder(option: str) -> str:
    try:
        program, *arguments = shlex.split(option)
    except ValueError:  # of a report that is read: no command line, but what names it
        return option
    return shlex.join([PurePath(program).name, *arguments])


def _mark(result: Result, rule: str) -> Text:
    outcomes = [outcome.outcome for outcome in result.outcomes if outcome.rule == rule]
    if not outcomes:
        return Text("-", style="dim")
    return Text(*MARKS[Outcome.of_rule(outcomes)])
