"""A sweep as lines of text: its points in strips, and what is known of one that was not stood."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep

SIGNS = {
    PointOutcome.KEPT: ("·", "stood"),
    PointOutcome.BROKEN: ("X", "broken"),
    PointOutcome.NOT_REACHED: ("-", "not reached"),
}
"""Sign and word of a point."""
_LEAST_SIGNS = 10
_WORST_FIRST = (PointOutcome.BROKEN, PointOutcome.KEPT, PointOutcome.NOT_REACHED)

LEGEND = "  ".join(f"{sign} {word}" for sign, word in SIGNS.values())


def headline(sweep: Sweep) -> str:
    """Return how many points were visited, not stood, and not come to by the call."""
    visited, points = sweep.visited, sweep.points
    broken, missed = len({result.point for result in sweep.broken}), sweep.tried - visited
    if visited < points:
        where = f"{visited:,} of {points:,} points"
    else:
        where = f"all {points:,} points" if points > 1 else "the only point"
    return f"{where} visited, {broken:,} broken" + (f", {missed:,} not reached" if missed else "")


def strips(sweep: Sweep, width: int) -> Iterator[str]:
    """Yield each kind of point with a sign for each one visited, in lines of `width` at most."""
    signs = {row: signs_of(points_of(sweep, row)) for row in sweep.rows}
    counts = {row: count_of(len(signs[row]), sweep.rows[row]) for row in signs if signs[row]}
    named, counted = (max(map(len, words), default=0) for words in (counts, counts.values()))
    for row in counts:
        head = f"{row:<{named}}  {counts[row]:>{counted}}  "
        room = max(width - len(head), _LEAST_SIGNS)
        whole = signs[row]
        parts = [whole[start : start + room] for start in range(0, len(whole), room)] or [""]
        yield (head + parts[0]).rstrip()
        yield from (" " * len(head) + part for part in parts[1:])
    if left := unvisited(sweep):
        yield from textwrap.wrap(f"none of {left}", width, subsequent_indent="        ")


def unvisited(sweep: Sweep) -> str:
    """Return the kinds of which no point was visited, each with how many there are."""
    visited = {result.row for result in sweep.results}
    return ", ".join(f"{row} {n}" for row, n in sweep.rows.items() if row not in visited)


def evidence(result: PointResult) -> Iterator[str]:
    """Yield the system calls around a point that was not stood, and where the folder is kept."""
    yield from result.trace
    if result.kept:
        yield f"as found: {result.kept}"


def account(sweep: Sweep, width: int) -> str:
    """Return all that is known of a sweep in which something was not stood, in lines."""
    first = sweep.first_broken
    assert first is not None
    lines = [
        f"{first.place}: {first.detail}",
        f"  expected {first.expected}",
        f"  found    {first.found}",
        f"  {headline(sweep)} ({LEGEND})",
        *(f"    {line}" for line in strips(sweep, width)),
        *(f"    {line}" for line in evidence(first)),
        f"  repeat   this point alone: only=[{first.point!r}]",
    ]
    return "\n".join(lines)


def points_of(sweep: Sweep, row: str) -> list[list[PointResult]]:
    """Return what came of each point of a kind, of each of its moments, in the order of calls."""
    of_points: dict[tuple[int, str], list[PointResult]] = {}
    for result in sweep.results:
        if result.row == row:
            of_points.setdefault((result.number, result.point), []).append(result)
    return [of_points[point] for point in sorted(of_points)]


def signs_of(points: Sequence[Sequence[PointResult]]) -> str:
    """Return the sign of each point: of the worst of its moments."""
    worst = (min((r.outcome for r in results), key=_WORST_FIRST.index) for results in points)
    return "".join(SIGNS[outcome][0] for outcome in worst)


def count_of(visited: int, points: int) -> str:
    """Return how many points of a kind have signs, and of how many where that is not all."""
    return f"{points}" if visited == points else f"{visited} of {points}"
