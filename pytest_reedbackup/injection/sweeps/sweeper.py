"""A sweep as a case runs it: which points are visited, for how long, and what is made of them."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import msgspec

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.injection.sweeps.stages import BASE
from pytest_reedbackup.model.failures import BrokenPromise, Cause, MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep
from pytest_reedbackup.views.folders import Whole, difference_of
from pytest_reedbackup.views.tree import Tree

_NAMED = 8
"""How many points are named where one is asked for that there is not."""


@dataclass(frozen=True)
class Visit:
    """One point of a sweep, and what goes wrong there."""

    point: str
    """What repeats it: `fsync#3`, `rename#2 EIO`, `byte 17`."""
    about: str
    """What it is about, to be shown: a path relative to the folder around the base, for one."""
    judge: Callable[[], Sequence[PointResult]]
    """Has it go wrong, and judges what is left. What it raises ends the sweep."""
    row: str = "points"
    """With which others it is shown: all calls of a name, for one."""
    number: int = 0
    """Its place among those."""

    def made(self) -> list[PointResult]:
        """Have it go wrong, and return the results with their place."""
        replace = msgspec.structs.replace
        return [replace(each, row=self.row, number=self.number) for each in self.judge()]


@dataclass(frozen=True)
class Sweeper:
    """Visits the points of one case."""

    kept: Path
    """The case's folder for databases as they were found at broken points; it outlives the run."""
    file_system: FileSystem = FileSystem.EXT4
    """What disks are to be made with."""
    until: float | None = None
    """When to stop, by `time.monotonic()`; None where every point is to be visited."""
    only: Collection[str] = ()
    """The points to be visited, where it is not all of them."""
    share: int = 0
    """Which part of the points is visited here, of `shares`."""
    shares: int = 1
    ends_when_broken: bool = False
    """Whether no other point is visited once one is broken: for who asks only if there is one."""
    record: Callable[[Sweep], None] = field(default=lambda sweep: None)
    """Takes what came of it, whatever that was."""

    @property
    def is_full(self) -> bool:
        """Return whether every point is to be visited."""
        return self.until is None

    def sweep(self, visits: Sequence[Visit], wholes: Sequence[Whole] = ()) -> None:
        """Visit these points in their order, of which any beginning is to be an even sample.

        What is found at a broken one is held against `wholes`, which the call may leave. Raise
        BrokenPromise for the first that was not stood, once all were visited, and
        MissingCapability where nothing went wrong at any.
        """
        _judge(self._visited(self._chosen(visits), visits, wholes))

    def _is_ours(self, visit: Visit) -> bool:
        # By its name: the points of a call need not be the same in each worker.
        return zlib.crc32(visit.point.encode()) % self.shares == self.share

    def of_defect(self, what: str, about: str = "") -> Sweeper:
        """Return the same for a case that states a defect: that something is not stood.

        `what` says in the report what the defect is of. Of the points only those that are about a
        path that ends in `about` are visited.
        """
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return _DefectSweeper(**own, what=what, about=about)

    def _visited(
        self, chosen: Sequence[Visit], visits: Sequence[Visit], wholes: Sequence[Whole]
    ) -> Sweep:
        """Visit those of the points that are `chosen`, while there is time, and record it."""
        if not visits:
            raise MissingCapability("points", "nothing of the call can go wrong here", tool=True)
        remove_tree(self.kept)  # what is there is of a run before
        results: list[PointResult] = []
        try:
            for visit in chosen:
                if results and self._is_over(results[-1]):
                    break
                results += (_with_folder(result, wholes) for result in visit.made())
        finally:
            rows = Counter(visit.row for visit in visits)
            sweep = Sweep(rows=dict(rows), results=results)
            self.record(sweep)
        return sweep

    def _chosen(self, visits: Sequence[Visit]) -> Sequence[Visit]:
        if not self.only:
            return [visit for visit in visits if self._is_ours(visit)]
        chosen = [visit for visit in visits if visit.point in self.only]
        if not chosen:
            named = ", ".join(visit.point for visit in visits[:_NAMED])
            raise MissingCapability(
                f"the point {' or '.join(self.only)}",
                f"this sweep has {len(visits)} others here: {named} and so on",
            )
        return [visit for visit in chosen if self._is_ours(visit)]

    def _is_over(self, last: PointResult) -> bool:
        if self.ends_when_broken and last.outcome is PointOutcome.BROKEN:
            return True
        return self.until is not None and not self.only and time.monotonic() > self.until


@dataclass(frozen=True, kw_only=True)
class _DefectSweeper(Sweeper):
    """Visits the points of a case that states a defect."""

    what: str
    about: str

    def sweep(self, visits: Sequence[Visit], wholes: Sequence[Whole] = ()) -> None:
        """Visit these points. Raise BrokenPromise where all were stood."""
        if self.share:
            return  # a part of the points cannot tell what another has shown, so one has all
        whole = replace(self, shares=1)
        about = [visit for visit in visits if visit.about.endswith(self.about)]
        sweep = self._visited(whole._chosen(about), about, wholes)
        _expect_reached(sweep)
        if sweep.first_broken is None:
            raise BrokenPromise(
                self.what,
                expected="lost or damaged at one point at least, as the baseline leaves it",
                found=f"as it must be, at all of {sweep.visited} points",
                cause=Cause.BEHAVIOUR,
            )


def judged(
    point: str,
    about: str,
    check: Callable[[], None],
    *,
    moment: str = "",
    trace: Sequence[str] = (),
    kept: str = "",
) -> PointResult:
    """Return what `check` makes of a point: broken where it raises BrokenPromise."""
    try:
        check()
    except BrokenPromise as broken:
        return PointResult(
            point=point,
            path=about,
            outcome=PointOutcome.BROKEN,
            moment=moment,
            detail=broken.what,
            expected=broken.expected,
            found=broken.found,
            trace=trace,
            kept=kept,
        )
    return PointResult(point=point, path=about, outcome=PointOutcome.KEPT, moment=moment)


def _with_folder(result: PointResult, wholes: Sequence[Whole]) -> PointResult:
    """Return a result that says how the folder differs which was kept of a broken point."""
    around = Path(result.kept)
    if not wholes or not result.kept or not around.is_dir():
        return result  # it was stood, or was broken before it was kept
    base = around / BASE if (around / BASE).is_dir() else around
    return msgspec.structs.replace(result, folder=difference_of(Tree.read(base), wholes))


def _judge(sweep: Sweep) -> None:
    first = sweep.first_broken
    if first is not None:
        raise BrokenPromise(
            f"{first.place}: {first.detail}",
            expected=first.expected,
            found=first.found,
            cause=Cause.BEHAVIOUR,
        )
    _expect_reached(sweep)


def _expect_reached(sweep: Sweep) -> None:
    if sweep.results and not sweep.visited:
        raise MissingCapability(
            "points that a call comes to",
            f"none of {len(sweep.results)} was reached: each run makes other system calls",
            tool=True,
        )
