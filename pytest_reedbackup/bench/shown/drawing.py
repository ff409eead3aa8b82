"""Curves as a drawing in SVG: readable on a telephone, by day and by night.

It is 390 units wide, a telephone's width, with panels one below the other. Curves are told apart
by their dashes, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

Points = Mapping[int, float]
"""Seconds, by size."""
Panels = Mapping[str, Mapping[str, Points]]
"""By what the size is of, by curve."""

_WIDTH, _LEFT, _RIGHT = 390, 58, 22
_LEGEND_LINE, _PANEL, _ABOVE, _BELOW = 20, 290, 34, 48
_PLOT_WIDTH, _PLOT_HEIGHT = _WIDTH - _LEFT - _RIGHT, _PANEL - _ABOVE - _BELOW
_DASHES = ("", "7 3", "9 3 2 3", "4 2 1 2", "2 3")

# Colours that the colour-blind tell apart, darker on white and lighter on black.
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}
.title{font-weight:600}
.back{fill:#fff}
.grid{stroke:#d1d9e0}
.curve{fill:none;stroke-width:2.2}
.c0{stroke:#0a5fa5}.c1{stroke:#b04a00}.c2{stroke:#00734f}.c3{stroke:#57606a}.c4{stroke:#96407a}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}
.back{fill:#0d1117}
.grid{stroke:#30363d}
.c0{stroke:#6cb6ff}.c1{stroke:#ffa657}.c2{stroke:#4ac99b}.c3{stroke:#a8b1bb}.c4{stroke:#f0a0d0}
}
""".replace("\n", "")


def drawn(panels: Panels, names: Sequence[str]) -> str:
    """Return a drawing of the curves of these names: a panel each, both axes logarithmic."""
    legend_height = _LEGEND_LINE * ceil(len(names) / 2) + 8
    height = legend_height + _PANEL * len(panels)
    parts = [
        _panel(of, curves, names, top=legend_height + number * _PANEL)
        for number, (of, curves) in enumerate(panels.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img">\n'
        f"<title>Time by {escape(' and by '.join(panels))}</title>\n"
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}"/>\n'
        f"{_legend(names)}{''.join(parts)}</svg>\n"
    )


def _legend(names: Sequence[str]) -> str:
    parts = []
    for number, name in enumerate(names):
        x, y = 12 + number % 2 * (_WIDTH // 2), 18 + number // 2 * _LEGEND_LINE
        parts.append(
            f'<path {_look(number)} d="M{x} {y - 4}h34"/>'
            f'<text x="{x + 42}" y="{y}">{escape(name)}</text>\n'
        )
    return "".join(parts)


def _panel(of: str, curves: Mapping[str, Points], names: Sequence[str], top: int) -> str:
    sizes = sorted({size for points in curves.values() for size in points})
    times = [secs for points in curves.values() for secs in points.values()]
    x_axis = _Axis(log10(sizes[0]), log10(sizes[-1]), _PLOT_WIDTH)
    y_axis = _Axis(floor(log10(min(times))), ceil(log10(max(times))), _PLOT_HEIGHT)
    bottom = top + _ABOVE + _PLOT_HEIGHT
    parts = [f'<text class="title" x="12" y="{top + 20}">time by {escape(of)}</text>\n']
    for power in range(int(y_axis.low), int(y_axis.high) + 1):
        y = bottom - y_axis.at(power)
        parts.append(
            f'<path class="grid" d="M{_LEFT} {y:.1f}h{_PLOT_WIDTH}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_time(power)}</text>\n'
        )
    for size in sizes:
        x = _LEFT + x_axis.at(log10(size))
        parts.append(
            f'<path class="grid" d="M{x:.1f} {bottom}v-{_PLOT_HEIGHT}"/>'
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_size(size)}</text>\n'
        )
    parts.append(
        f'<text x="{_LEFT + _PLOT_WIDTH / 2:.1f}" y="{bottom + 36}" text-anchor="middle">'
        f"{escape(of)}</text>\n"
    )
    for name, points in curves.items():
        places = " ".join(
            f"{_LEFT + x_axis.at(log10(size)):.1f},{bottom - y_axis.at(log10(secs)):.1f}"
            for size, secs in sorted(points.items())
        )
        look = _look(names.index(name))
        parts.append(f'<polyline {look} points="{places}"><title>{escape(name)}</title>')
        parts.append("</polyline>\n")
    return "".join(parts)


def _look(number: int) -> str:
    dashes = _DASHES[number % len(_DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'class="curve c{number % len(_DASHES)}"{dashed}'


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
    if power >= 0:
        return f"{10**power:g} s"
    return f"{10 ** (power + 3):g} ms" if power >= -3 else f"{10 ** (power + 6):g} µs"


def _size(size: int) -> str:
    if size >= 1_000_000:
        return f"{size / 1_000_000:g}M"
    return f"{size / 1_000:g}k" if size >= 1_000 else f"{size}"
