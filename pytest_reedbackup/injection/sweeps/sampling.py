"""Which points of a sweep come first: any beginning of the order is an even sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_reedbackup.injection.traced.points import Point


def evenly(points: Sequence[Point]) -> list[Point]:
    """Return all points, kind by kind in turn, and of each kind evenly."""
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.call, []).append(point)
    left = [list(_halving(each)) for each in kinds.values()]
    order: list[Point] = []
    while any(left):
        order += [each.pop(0) for each in left if each]
    return order


def _halving(points: Sequence[Point]) -> Iterator[Point]:
    """Yield the last, which is most often decisive, then the middle of each part, breadth first."""
    if points:
        yield points[-1]
    parts = [points[:-1]]
    while parts:
        part = parts.pop(0)
        if part:
            middle = len(part) // 2
            yield part[middle]
            parts += [part[:middle], part[middle + 1 :]]
