"""The table in the terminal, no wider than 90 columns but for long command lines."""

from __future__ import annotations

import textwrap

from rich.console import Console

from pytest_reedbackup.bench.decisions import Standing
from pytest_reedbackup.bench.result import Beside, Measured, Result
from pytest_reedbackup.bench.shown.words import amount, standing, steps, target_beside, who

_WIDTH = 90
_INDENT = 15 * " "
_HEAD = f"{'':14} {'median':>10} {'times':>7} {'nine of ten':>16} {'target':>14}"


def show(result: Result) -> None:
    """Print it; what misses its target is red, and says so."""
    console = Console(highlight=False, soft_wrap=True)
    if result.rows:
        console.print(_HEAD)
    for row in result.rows:
        _show_row(row, console)
    for name in result.unmeasured:
        console.print(f"{name}: no time was left for it", style="red", markup=False)


def _show_row(row: Measured, console: Console) -> None:
    console.print(who(row), style="bold", markup=False)
    limit = "" if row.limit is None else f"<= {amount(row.limit, row.unit)}"
    low, high = row.interval
    said = standing(row.standing, row.is_limit_forbidden)
    between = f"{amount(low, row.unit)} to {amount(high, row.unit)}"
    line = f"  {'itself':12} {amount(row.median, row.unit):>10} {between:>24} {limit:>14} {said}"
    console.print(line.rstrip(), style=_style(row.standing), markup=False)
    for beside in row.beside:
        console.print(_line(row, beside), style=_style(beside.standing), markup=False)
    for part in textwrap.wrap(steps(row), _WIDTH - len(_INDENT)):
        console.print(f"{_INDENT}{part}", style="dim", markup=False)


def _line(row: Measured, beside: Beside) -> str:
    low, high = beside.interval
    median = amount(beside.median, row.unit)
    said = standing(beside.standing, row.forbids(beside))
    return (
        f"  {beside.peer:12} {median:>10} {beside.times:7.2f} {f'{low:.2f} to {high:.2f}':>16}"
        f" {target_beside(beside):>14} {said}"
    ).rstrip()


def _style(became: Standing | None) -> str:
    return {Standing.MISSED: "red", Standing.OPEN: "yellow"}.get(became or Standing.REACHED, "")
