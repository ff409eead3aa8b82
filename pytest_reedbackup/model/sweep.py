"""What came of a sweep: one thing goes wrong at a time, at every point of a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct


class Faults(StrEnum):
    """How much of the sweeps a run makes."""

    QUICK = "quick"
    """An even sample of their points, in a time that all sweeps share."""
    FULL = "full"
    """Every point."""
    OFF = "off"
    """Nothing: their cases are left out."""


class PointOutcome(StrEnum):
    """How an implementation stood a point."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_REACHED = "not reached"
    """The call ended before it came so far: another run may make other calls."""


class FolderDifference(Struct, frozen=True, kw_only=True):
    """A folder as it was found, path by path against what it might have been."""

    against: str
    """What it is held against: of all that the call may leave, what it is most alike."""
    lines: Sequence[str]
    """They begin with `-` for what is missing and `+` for what is too much; at most 60."""


class PointResult(Struct, frozen=True, kw_only=True):
    """One point of a sweep, as it was judged."""

    point: str
    """What repeats it, as in `fsync#3` or `write#2 ENOSPC`."""
    path: str
    """What the system call is about, relative to the folder around the base."""
    outcome: PointOutcome
    row: str = ""
    """Where it is shown: with all points of its kind, as in `fsync`."""
    number: int = 0
    """Its place in the row."""
    moment: str = ""
    """For a power cut: which of the disks that it may leave."""
    detail: str = ""
    expected: str = ""
    found: str = ""
    trace: Sequence[str] = ()
    """The system calls around a broken point, a line each."""
    kept: str = ""
    """The folder in which the database is as it was found."""
    folder: FolderDifference | None = None
    """How that folder differs from what it might have been."""

    @property
    def place(self) -> str:
        """Return the point and what it is about, in words."""
        about = f" ({self.path})" if self.path else ""
        return f"{self.point}{about}" + (f", {self.moment}" if self.moment else "")


class Sweep(Struct, frozen=True, kw_only=True):
    """The points of one case that were visited, and how many there are."""

    rows: Mapping[str, int]
    """How many points each kind has, in the order in which the call comes to them."""
    results: Sequence[PointResult]
    """Those of one point may be several: for a power cut one a moment."""

    @property
    def points(self) -> int:
        """Return how many points there are."""
        return sum(self.rows.values())

    @property
    def tried(self) -> int:
        """Return how many points were to be visited, whether or not the call came to them."""
        return len({result.point for result in self.results})

    @property
    def visited(self) -> int:
        """Return at how many points something did go wrong."""
        reached = {r.point for r in self.results if r.outcome is not PointOutcome.NOT_REACHED}
        return len(reached)

    @property
    def broken(self) -> list[PointResult]:
        """Return what was not stood, one a point and moment."""
        return [r for r in self.results if r.outcome is PointOutcome.BROKEN]

    @property
    def first_broken(self) -> PointResult | None:
        """Return the first in the order of the visits; None where all was stood."""
        return next(iter(self.broken), None)


def whole_sweep(parts: Iterable[Sweep]) -> Sweep | None:
    """Return the sweep whose points several tests share; None where none of them swept."""
    whole: Sweep | None = None
    for part in parts:
        if whole is None:
            whole = part
        else:
            names = dict.fromkeys([*whole.rows, *part.rows])
            rows = {row: max(whole.rows.get(row, 0), part.rows.get(row, 0)) for row in names}
            whole = msgspec.structs.replace(
                whole, rows=rows, results=[*whole.results, *part.results]
            )
    return whole
