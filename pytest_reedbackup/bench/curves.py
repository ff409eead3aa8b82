"""How time grows with rows and with files: the points of each curve, as rows of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_reedbackup.bench.changes import add_one_percent, change_one_table
from pytest_reedbackup.bench.rows import Job, Row, unchanged
from pytest_reedbackup.databases.spec import DatabaseSpec


@dataclass(frozen=True)
class Point:
    """One job on a database of one size."""

    panel: str
    curve: str
    size: int
    row: Row


PANELS: Mapping[str, Mapping[int, DatabaseSpec]] = {
    "rows": {
        rows: DatabaseSpec(tables=4, rows=rows) for rows in (1_000, 10_000, 100_000, 1_000_000)
    },
    "files": {
        files: DatabaseSpec(tables=1, rows=files // 2, versions=files)
        for files in (100, 1_000, 10_000, 30_000)
    },
}


CURVES = {
    "create first": (Job.CREATE, unchanged),
    "create unchanged": (Job.CREATE, unchanged),
    "create 1 % new": (Job.CREATE, add_one_percent),
    "create 1 table of 4 new": (Job.CREATE, change_one_table),
    "restore same": (Job.RESTORE, unchanged),
}
"""By name, in the legend's order: the job, and what changes before it."""

_OF_ONE_PANEL = {"create 1 % new": "files", "create 1 table of 4 new": "rows"}
"""Four tables of rows have no hundred files, and one table of many files is all of it."""


def _row(panel: str, curve: str, size: int) -> Row:
    job, change = CURVES[curve]
    return Row(
        f"curve/{panel}/{size}/{curve.replace(' ', '-')}",
        f"{curve}, {size:,} {panel}",
        job,
        PANELS[panel][size],
        change=change,
        is_first=curve == "create first",
    )


POINTS = tuple(
    Point(panel, curve, size, _row(panel, curve, size))
    for panel, sizes in PANELS.items()
    for size in sizes
    for curve in CURVES
    if _OF_ONE_PANEL.get(curve, panel) == panel
)
