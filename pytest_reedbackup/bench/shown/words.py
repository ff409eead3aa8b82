"""Figures in the words of people, the same in the terminal and on the page."""

from __future__ import annotations

import statistics

from pytest_reedbackup.bench.contestants.implementation import PORT, REFERENCE
from pytest_reedbackup.bench.decisions import Standing
from pytest_reedbackup.bench.result import Beside, Measured


def amount(figure: float, unit: str) -> str:
    """Return a figure with its unit, to three digits: seconds below 10 are in ms."""
    if unit == "s" and figure < 10:
        return f"{_digits(1000 * figure)} ms"
    return f"{_digits(figure)} {unit}"


def standing(became: Standing | None, is_forbidden: bool) -> str:
    """Return what became of a target in a word or two; nothing where there is none."""
    if became is None:
        return ""
    return f"{became}, floor forbids" if is_forbidden and became is not Standing.REACHED else became


def target_beside(beside: Beside) -> str:
    """Return what an implementation is to come up to beside a peer."""
    if beside.target is None:
        return ""
    return f"{beside.target:g}x{' the best' if beside.is_by_best else ''}"


def steps(row: Measured) -> str:
    """Return what each kind of the floor's system calls takes; nothing where there is none."""
    return ", ".join(
        f"{name} {amount(statistics.median(taken), row.unit)}" for name, taken in row.steps.items()
    )


def who(row: Measured) -> str:
    """Return what was done, and by whom where it is not the reference."""
    is_own = row.implementation in (REFERENCE, PORT)
    return row.what if is_own else f"{row.what}, by {row.implementation}"


def _digits(figure: float) -> str:
    if figure >= 100:
        return f"{figure:,.0f}"
    if figure >= 10:
        return f"{figure:.1f}"
    return f"{figure:.2f}"
