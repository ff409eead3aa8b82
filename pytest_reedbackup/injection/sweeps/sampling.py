"""Which points of a sweep come first: any beginning of the order is an even sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from pytest_reedbackup.injection.traced.failures import Failure, failures_at
from pytest_reedbackup.injection.traced.points import ATTRIBUTES, SIZING, SYNCING, Point
from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    LINKING,
    MAKING_FOLDERS,
    READING_CONTENT,
    REMOVING,
    WRITING,
)

_DECIDING = frozenset({*RENAMES, *LINKING, *REMOVING})
"""The calls that publish or remove a name: what has been done by then decides what is left."""

_FIRST = (
    (*RENAMES, *LINKING),
    SYNCING,
    WRITING,
    (*SIZING, *ATTRIBUTES),
    READING_CONTENT,
    OPENS,
    MAKING_FOLDERS,
    REMOVING,
)
"""Kinds of calls, the most telling ones first: a small sample may come to no others."""

T = TypeVar("T")
WayT = TypeVar("WayT")


def evenly(points: Sequence[Point]) -> list[Point]:
    """Return all points, kind by kind in turn, the most telling first, and of each kind evenly.

    A kind are the calls of a name about one part of the database: who overlooks that one of them
    may fail, overlooks it of all. Every other point is right after a name was published or
    removed, while there are such.
    """
    deciding, others = (in_turn(kinds) for kinds in _kinds(points))
    return list(in_turn([deciding, others]))


def failures_evenly(points: Sequence[Point]) -> list[Failure]:
    """Return all failures at these points in the same way, the errors of a kind in turn, too.

    Every third one is right after a name was published or removed. These fail for good first:
    who has to take something back cannot do it then.
    """
    deciding, others = _kinds(points)
    once = in_turn([_failures(kind) for kind in others])
    for_good = in_turn([_failures(kind, begin=1) for kind in deciding])
    return list(in_turn([once, for_good, once]))


def mixed(kinds: Sequence[Sequence[T]]) -> list[T]:
    """Return all of each kind, the kinds in turn, and of each kind evenly."""
    return list(in_turn([_halving(each) for each in kinds]))


def turn_by_turn(points: Sequence[T], ways: Sequence[WayT]) -> Iterator[tuple[T, WayT]]:
    """Yield each point with each way, all points once before any comes twice."""
    return _diagonally([[(point, way) for way in ways] for point in points])


def _kinds(points: Sequence[Point]) -> tuple[list[list[Point]], list[list[Point]]]:
    """Return the deciding ones and the others, by kinds, the most telling first."""
    deciding: dict[str, list[Point]] = {}
    others: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda point: _rank(point.call)):
        if point.after in _DECIDING:
            deciding.setdefault(f"{point.after} {point.call}", []).append(point)
        else:
            others.setdefault(f"{point.call} {point.part}", []).append(point)
    first, second = (
        [list(_halving(each)) for each in kinds.values()] for kinds in (deciding, others)
    )
    return first, second


def _rank(call: str) -> int:
    """Return the place of a call's kind among all: how late a sample comes to it."""
    return next((rank for rank, calls in enumerate(_FIRST) if call in calls), len(_FIRST))


def _failures(points: Sequence[Point], begin: int = 0) -> Iterator[Failure]:
    """Yield the failures at points of one kind, each point's from the way `begin` on."""
    ways = (list(failures_at(point)) for point in points)
    return _diagonally([[*each[begin:], *each[:begin]] for each in ways])


def _diagonally(ways: Sequence[Sequence[T]]) -> Iterator[T]:
    """Yield what is in lists of one length: one of each list before any has a second turn."""
    for turn in range(len(ways[0]) if ways else 0):
        for place, of in enumerate(ways):
            yield of[(turn + place) % len(of)]


def in_turn(lists: Iterable[Iterable[T]]) -> Iterator[T]:
    """Yield one of each list in turn."""
    return (item for item in chain.from_iterable(zip_longest(*lists)) if item is not None)


def _halving(points: Sequence[T]) -> Iterator[T]:
    """Yield the last, which is most often decisive, then the others evenly."""
    yield from points[-1:]
    yield from bisected(points[:-1])


def bisected(items: Sequence[T]) -> Iterator[T]:
    """Yield the one in the middle, then the middle of each part, breadth first."""
    parts = [items]
    while parts:
        part = parts.pop(0)
        if part:
            middle = len(part) // 2
            yield part[middle]
            parts += [part[:middle], part[middle + 1 :]]
