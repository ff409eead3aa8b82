"""How an implementation's time grows with rows and with files, as a drawing in SVG."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from pytest_reedbackup.bench.rows import Change, Job, Row, add_one_percent
from pytest_reedbackup.databases.spec import DatabaseSpec


@dataclass(frozen=True)
class Curve:
    """A job, for sizes of databases."""

    name: str
    job: Job
    change: Change = lambda base, turn: None
    is_first: bool = False

    def row(self, spec: DatabaseSpec) -> Row:
        """Return it as a row for databases of one size."""
        return Row(self.name, self.name, self.job, spec, {}, self.change, self.is_first)


CURVES = (
    Curve("create, first", Job.CREATE, is_first=True),
    Curve("create, 1 % new", Job.CREATE, add_one_percent),
    Curve("create, unchanged", Job.CREATE),
    Curve("restore, same", Job.RESTORE),
)

PANELS: Mapping[str, Mapping[int, DatabaseSpec]] = {
    "rows in 4 tables": {
        rows: DatabaseSpec(tables=4, rows=rows) for rows in (1_000, 10_000, 100_000, 1_000_000)
    },
    "versions of 1 table": {
        versions: DatabaseSpec(tables=1, rows=versions // 2, versions=versions)
        for versions in (100, 1_000, 10_000, 30_000)
    },
}

Points = Mapping[int, float]
"""Seconds, by size."""

_WIDTH, _HEIGHT, _LEFT, _TOP = 440, 320, 60, 40
_PLOT_WIDTH, _PLOT_HEIGHT = _WIDTH - _LEFT - 20, _HEIGHT - _TOP - 50
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")  # told apart by the colour-blind


def drawn(panels: Mapping[str, Mapping[str, Points]]) -> str:
    """Return a drawing: a panel each, with a line a curve, both axes logarithmic."""
    parts = [
        _panel(title, curves, left=number * _WIDTH)
        for number, (title, curves) in enumerate(panels.items())
    ]
    width = _WIDTH * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}"'
        f' font-family="sans-serif" font-size="11"><rect width="{width}" height="{_HEIGHT}"'
        f' fill="white"/>{"".join(parts)}</svg>\n'
    )


def median_points(secs: Mapping[int, Sequence[float]]) -> Points:
    """Return a point a size: the median of what its turns took."""
    return {size: statistics.median(taken) for size, taken in secs.items()}


def _panel(title: str, curves: Mapping[str, Points], left: int) -> str:
    sizes = sorted({size for points in curves.values() for size in points})
    times = [secs for points in curves.values() for secs in points.values()]
    x_axis = _Axis(log10(sizes[0]), log10(sizes[-1]), _PLOT_WIDTH)
    y_axis = _Axis(floor(log10(min(times))), ceil(log10(max(times))), _PLOT_HEIGHT)
    parts = [f'<text x="{_LEFT}" y="{_TOP - 22}" font-weight="bold">{escape(title)}</text>']
    for power in range(int(y_axis.low), int(y_axis.high) + 1):
        y = _TOP + _PLOT_HEIGHT - y_axis.at(power)
        parts += [
            f'<path d="M{_LEFT} {y:.1f}h{_PLOT_WIDTH}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_time(power)}</text>',
        ]
    for size in sizes:
        x = _LEFT + x_axis.at(log10(size))
        parts.append(
            f'<text x="{x:.1f}" y="{_TOP + _PLOT_HEIGHT + 16}" text-anchor="middle">{size:,}</text>'
        )
    for number, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = " ".join(
            f"{_LEFT + x_axis.at(log10(size)):.1f},"
            f"{_TOP + _PLOT_HEIGHT - y_axis.at(log10(secs)):.1f}"
            for size, secs in sorted(points.items())
        )
        parts += [
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{_LEFT + (number % 4) * 95}" y="{_TOP - 6}" fill="{colour}">'
            f"{escape(name)}</text>",
        ]
    return f'<g transform="translate({left})">{"".join(parts)}</g>'


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis, in powers of ten."""

    low: float
    high: float
    length: float

    def at(self, power: float) -> float:
        """Return how far along it is."""
        return self.length * (power - self.low) / ((self.high - self.low) or 1)


def _time(power: int) -> str:
    return f"{10**power:g} s" if power >= 0 else f"{10 ** (power + 3):g} ms"
