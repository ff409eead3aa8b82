"""The moments of a call at which a name that it uses is free, and a plant would be come upon."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pytest_reedbackup.injection.planting import Name, changed_by
from pytest_reedbackup.injection.sweeps.stages import FolderStage
from pytest_reedbackup.injection.traced.halting import EACH_CALL, halting
from pytest_reedbackup.injection.traced.points import Point
from pytest_reedbackup.injection.traced.served import Call, Served
from pytest_reedbackup.injection.traced.system_calls import SystemCall
from pytest_reedbackup.views.base import ROOTS


def windows(
    process: Served,
    stage: FolderStage,
    call: Call,
    names: Sequence[Name],
) -> Iterator[tuple[Point, Name]]:
    """Yield the points after which a call uses a name that is free then, and the name.

    They are those right before a use, and those after each look at the name until the last use.
    tables/ and indices/ are such names, too, while a restore has the one tree away and the other
    not yet there.
    """
    roots = [Name(f"{stage.base.name}/{root}", frozenset(), frozenset()) for root in ROOTS]
    with stage.used() as base:
        places = {
            name: name.places(base, process.pid, process.implementation.clock)
            for name in (*names, *roots)
        }
        free: list[frozenset[Name]] = []
        with halting(process, partial(call, process, base), EACH_CALL) as halted:
            while halted.halts():
                free.append(frozenset(n for n, at in places.items() if not _any_is_there(at)))
            calls = halted.calls()
    points = _points(calls, base.parent)
    for name, at in places.items():
        yield from (
            (points[moment], name)
            for moment in _moments(calls, {str(place) for place in at})
            if moment < len(free) and name in free[moment]
        )


def _any_is_there(places: Sequence[Path]) -> bool:
    return any(os.path.lexists(place) for place in places)


def _points(calls: Sequence[SystemCall], around: Path) -> list[Point]:
    numbers: Counter[tuple[int, str]] = Counter()
    points = []
    for call in calls:
        numbers[call.pid, call.name] += 1
        path = call.paths[-1].removeprefix(f"{around}/") if call.paths else ""
        points.append(Point(call.name, numbers[call.pid, call.name], path))
    return points


def _moments(calls: Sequence[SystemCall], places: set[str]) -> list[int]:
    """Return the numbers of the calls after which a plant would be come upon, in order."""
    uses = [at for at, call in enumerate(calls) if not places.isdisjoint(changed_by(call))]
    looks = [at for at, call in enumerate(calls) if not places.isdisjoint(call.paths)]
    last = max(uses, default=0)
    return sorted({use - 1 for use in uses if use} | {look for look in looks if look < last})
