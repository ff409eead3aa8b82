"""What was measured, in lines for people, no longer than 80 columns."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from rich.console import Console

from pytest_reedbackup.bench.figures import Figure
from pytest_reedbackup.bench.turns import Beside, Measured

_HEAD = f"{'':10} {'its time':>12} {'times as fast':>13} {'half of the turns':>20} {'target':>8}"


def show(rows: Sequence[Measured], figures: Sequence[Figure]) -> None:
    """Print them; what misses its target is red, and says so."""
    console = Console(highlight=False, soft_wrap=True)
    if rows:
        console.print(_HEAD)
    for row in rows:
        named = "" if row.implementation == "python" else f" by {row.implementation}"
        console.print(f"{row.what}{named}: {_time(row.median_secs)}", style="bold", markup=False)
        for pair in row.beside:
            console.print(_pair(pair), style="" if pair.is_reached else "red")
    for line, is_reached in _figures(figures):
        console.print(line, style="" if is_reached else "red", markup=False)


def _pair(pair: Beside) -> str:
    low, high = pair.interval
    between = f"{low:.2f} to {high:.2f}"
    target = "" if pair.target is None else f"{pair.target:g}"
    return (
        f"  {pair.peer:8} {_time(statistics.median(pair.peer_secs)):>12} {pair.times:13.2f}"
        f" {between:>20} {target:>8}{'' if pair.is_reached else ' missed'}"
    )


def _figures(figures: Sequence[Figure]) -> Iterator[tuple[str, bool]]:
    for figure in figures:
        found = f"{figure.measured:.2f} {figure.unit} of {figure.limit:g} {figure.unit} at most"
        missed = "" if figure.is_reached else " missed"
        yield f"{figure.what}: {found}{missed}", figure.is_reached


def _time(secs: float) -> str:
    return f"{1000 * secs:,.1f} ms"
