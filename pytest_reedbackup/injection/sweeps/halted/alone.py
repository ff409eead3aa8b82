"""A call without another beside it: where it may be stopped, and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.injection.sweeps.sampling import evenly
from pytest_reedbackup.injection.sweeps.stages import FolderStage
from pytest_reedbackup.injection.traced.halting import halting
from pytest_reedbackup.injection.traced.points import Point, all_points, require_seen
from pytest_reedbackup.injection.traced.served import Call, Served


@dataclass(frozen=True)
class Alone:
    """What is known of it."""

    points: Sequence[Point]
    secs: float

    def evenly(self) -> Iterator[tuple[Point, int]]:
        """Yield the points in an even order, each with its place in the call."""
        places = {point.id: place for place, point in enumerate(self.points, 1)}
        return ((point, places[point.id]) for point in evenly(self.points))


def alone(process: Served, stage: FolderStage, call: Call, name: str) -> Alone:
    """Make a call of this name. Raise MissingCapability where strace is of no use."""
    with stage.used() as base:
        started = time.monotonic()
        with halting(process, partial(call, process, base), None) as made:
            value_of(made.answer(), f"an undisturbed {name}")
            took_secs = time.monotonic() - started
            points = all_points(made.calls(), str(base.parent.resolve()))
    return Alone(require_seen(points), took_secs)
