"""The page docs/performance.md: how it was measured, the table, the curves, the floors.

All that it says of a run is from the run's JSON, which lies beside it: it is written by
`--from docs/performance.json --docs docs`, and a test holds it against that.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_reedbackup.bench.curves import CURVES, POINTS
from pytest_reedbackup.bench.result import Beside, Measured, Result
from pytest_reedbackup.bench.shown.drawing import drawn
from pytest_reedbackup.bench.shown.words import amount, standing, steps, target_beside, who

PAGE, DRAWING = "performance.md", "performance.svg"

_HOW = """\
# Performance

This page and its figures are from one run ({where}):

```sh
python -m pytest_reedbackup.bench --floors --json docs/performance.json --docs docs
```

Whoever does a row's job has one turn a round, in alternating order, on a clone of its own, with
warm caches and all that others wrote synced before, and on ext4 each in block groups of its own
(why: `pytest_reedbackup/databases/disk.py`). What counts is the ratio of a round's two
turns: what else the machine does meets either. Turns go on until the interval decides the target,
for 3 rounds at least (a suite: 1) and 16 at most (a suite: 5). The interval is where the median
lies nine times of ten, by the turns' order alone; of fewer than five turns it is all of them and a
fifth more on each side. No peer syncs what it writes; the reference does.
"""
_CURVES = f"""\
## How time grows

Databases of four tables by rows, and of one table by files; the implementation alone.

![Time by rows and by files]({DRAWING})
"""
_FLOORS = """\
## Floors

What a job's system calls take alone, in one thread and in the same rounds: looking at files,
reading those that it must, linking, writing as many bytes, syncing. No compression, no sums. Of
`reedbackup list` and of memory it is an interpreter that starts and ends, of the port the
decompression of all deltas on two cores, of the suite its longest case alone: that a lock is waited
for, which takes as long as the implementation waits.
"""


def write_page(result: Result, folder: Path) -> None:
    """Write the page and its drawing into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(result), encoding="utf-8")
    if curves := drawing(result):
        (folder / DRAWING).write_text(curves, encoding="utf-8")


def page(result: Result) -> str:
    """Return the page."""
    rows = [row for row in result.rows if row.row not in _CURVE_ROWS]
    machine = result.machine
    where = (
        f"{machine.cores} cores, {machine.file_system}, {machine.system}, Python {machine.python},"
        f" {machine.month}; {result.secs / 60:.1f} minutes"
    )
    tools = "; ".join(machine.tools.values())
    parts = [
        _HOW.format(where=where),
        f"Peers: {tools}.\n" if tools else "",
        "## The table\n",
        "\n".join(_table(rows)) + "\n",
        _CURVES if len(rows) < len(result.rows) else "",
        *([_FLOORS, "\n".join(_floors(rows)) + "\n"] if any(row.floor for row in rows) else ()),
    ]
    return "\n".join(part for part in parts if part)


def drawing(result: Result) -> str:
    """Return the drawing of the curves, as far as they were measured; nothing where none was."""
    secs = {row.row: row.median for row in reversed(result.rows)}
    panels: dict[str, dict[str, dict[int, float]]] = {}
    for point in POINTS:
        if point.row.id in secs:
            curves = panels.setdefault(point.panel, {})
            curves.setdefault(point.curve, {})[point.size] = secs[point.row.id]
    return drawn(panels, list(CURVES)) if panels else ""


_CURVE_ROWS = frozenset(point.row.id for point in POINTS)


def _table(rows: Sequence[Measured]) -> Iterator[str]:
    yield "| work | its own time | beside | takes | times as fast | nine of ten | target | |"
    yield "|---|--:|---|--:|--:|--:|--:|---|"
    for row in rows:
        lines = [*([_itself(row)] if row.limit is not None or not row.beside else [])]
        lines += [_beside(row, beside) for beside in row.beside]
        for number, line in enumerate(lines):
            yield f"| {'' if number else who(row)} | {' | '.join(line)} |"


def _itself(row: Measured) -> Sequence[str]:
    low, high = (amount(bound, row.unit) for bound in row.interval)
    return (
        *(amount(row.median, row.unit), "", "", "", f"{low} to {high}"),
        "" if row.limit is None else f"at most {amount(row.limit, row.unit)}",
        standing(row.standing, row.is_limit_forbidden),
    )


def _beside(row: Measured, beside: Beside) -> Sequence[str]:
    low, high = beside.interval
    return (
        amount(statistics.median(beside.own), row.unit),
        beside.peer,
        amount(beside.median, row.unit),
        *(f"{beside.times:.2f}", f"{low:.2f} to {high:.2f}", target_beside(beside)),
        standing(beside.standing, row.forbids(beside)),
    )


def _floors(rows: Sequence[Measured]) -> Iterator[str]:
    yield "| work | its own time | floor | of which |"
    yield "|---|--:|--:|---|"
    for row in rows:
        if row.floor is not None:
            own, floor = amount(row.median, row.unit), amount(row.floor, row.unit)
            yield f"| {who(row)} | {own} | {floor} | {steps(row)} |"
