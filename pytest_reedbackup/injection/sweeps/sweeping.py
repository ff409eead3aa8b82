"""The sweeps over the system calls of one call, from the database that it is made on to the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pytest_reedbackup.connections.implementation import Implementation, TicketImplementation
from pytest_reedbackup.injection.power.disks import Disk
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.injection.sweeps.failing import Failing
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.sampling import evenly, failures_evenly, turn_by_turn
from pytest_reedbackup.injection.sweeps.scenes import Scene, small_scene
from pytest_reedbackup.injection.sweeps.stages import DiskStage, FolderStage, Stage
from pytest_reedbackup.injection.sweeps.survival import Swept, TicketSwept
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.sweeps.visiting import KILL, REPLY, ServedCall, Visits, named
from pytest_reedbackup.injection.traced.failures import Failure
from pytest_reedbackup.injection.traced.points import SYNCING, Point
from pytest_reedbackup.model.sweep import PointResult
from pytest_reedbackup.views.folders import Whole

SIGNALS = ("SIGINT", "SIGTERM")
"""What ends a program that somebody has had enough of."""

SweptT = TypeVar("SweptT", bound=Swept)

MakeScene = Callable[[TicketImplementation, Path], Scene]
MakeStage = Callable[[Path, Path], Stage]
"""Takes the prepared database and a new folder for the stage."""


@dataclass(frozen=True)
class Sweeps(ABC, Generic[SweptT]):
    """One call, to be swept in any way."""

    implementation: Implementation
    sweeper: Sweeper
    tracer: Sequence[str] = field(default=(), kw_only=True)
    """The command that processes of the implementation are started by."""

    @abstractmethod
    def swept(self, base: Path) -> SweptT:
        """Build the database in the new folder `base`, and return the call on it."""

    def power_cuts(self) -> None:
        """Cut the power at each system call that changes the disk."""
        with self._visits(self._disk_of_sample) as (visits, wholes):
            self._kill_at_each(visits, wholes)

    def replies(self) -> None:
        """Cut the power when the call has just been answered."""
        with self._visits(self._disk) as (visits, wholes):
            self.sweeper.sweep([reply(visits)], wholes)

    def reply_and_power_cuts(self) -> None:
        """Do both: first when the call has been answered, then at each of its system calls."""
        with self._visits(self._disk) as (visits, wholes):
            self._kill_at_each(visits, wholes, first=[REPLY])

    def kills(self) -> None:
        """Kill the process at each system call that changes the disk."""
        with self._visits(_folder) as (visits, wholes):
            self._kill_at_each(visits, wholes)

    def interrupts(self) -> None:
        """Send each of the signals at each system call that changes the disk."""
        with self._visits(_folder) as (visits, wholes):
            sent = turn_by_turn(evenly(visits.points()), SIGNALS)
            self.sweeper.sweep([signal_at(visits, point, signal) for point, signal in sent], wholes)

    def failures(self) -> None:
        """Have each system call that is about the database fail in each way."""
        with self.prepared() as (folder, base, swept, reserve):
            stage = FolderStage(base, folder / "stage")
            failing = Failing(reserve, stage, swept, self.sweeper.kept)
            failures = failures_evenly(failing.points())
            made = [failure_at(failing.visit, failure) for failure in failures]
            self.sweeper.sweep(made, swept.wholes())

    def failed_syncs(self) -> None:
        """Have each sync fail in each way, and cut the power right after a success."""
        with self._visits(self._disk_of_sample) as (visits, wholes):
            syncs = [point for point in visits.points() if point.call in SYNCING]
            failures = failures_evenly(syncs)
            made = [failure_at(visits.after_failure, failure) for failure in failures]
            self.sweeper.sweep(made, wholes)

    def _kill_at_each(
        self, visits: Visits, wholes: Sequence[Whole], first: Sequence[Point] = ()
    ) -> None:
        points = dict.fromkeys([*first, *evenly(visits.points())])
        self.sweeper.sweep([signal_at(visits, point, KILL) for point in points], wholes)

    @contextmanager
    def _visits(self, make_stage: MakeStage) -> Iterator[tuple[Visits, Sequence[Whole]]]:
        """Give what visits share, and the databases that the call may leave."""
        with self.prepared() as (folder, base, swept, reserve):
            (folder / "stage").mkdir()
            stage = make_stage(base, folder / "stage")
            visits = Visits(ServedCall(reserve, swept), stage, self.sweeper.kept)
            yield visits, swept.wholes()

    @contextmanager
    def prepared(self) -> Iterator[tuple[Path, Path, SweptT, Reserve]]:
        """Give a folder, the database in it, the call that is made on it, and processes for it."""
        with scratch() as folder:
            base = folder / "prepared" / ".reed"
            base.parent.mkdir()
            swept = self.swept(base)
            with Reserve(self.implementation, self.tracer) as reserve:
                yield folder, base, swept, reserve

    def _disk(self, prepared: Path, folder: Path) -> Stage:
        return DiskStage(prepared, Disk(folder, self.sweeper.file_system))

    def _disk_of_sample(self, prepared: Path, folder: Path) -> Stage:
        # In a sample there is no time to see twice what the sweeps of kills show.
        with_kills = self.sweeper.is_full or bool(self.sweeper.only)
        disk = Disk(folder, self.sweeper.file_system)
        return DiskStage(prepared, disk, with_kills=with_kills)


@dataclass(frozen=True)
class Sweeping(Sweeps[TicketSwept]):
    """One call under contract `ticket`."""

    implementation: TicketImplementation
    make_call: Callable[[TicketImplementation, Scene], TicketSwept]
    """`Create` or `Restore`."""
    make_scene: MakeScene = small_scene

    def swept(self, base: Path) -> TicketSwept:
        """Build the scene, and return the call on it."""
        return self.make_call(self.implementation, self.make_scene(self.implementation, base))


def _folder(prepared: Path, folder: Path) -> Stage:
    return FolderStage(prepared, folder)


def reply(visits: Visits) -> Visit:
    """Return the visit of the moment when the call has just been answered."""
    return Visit(REPLY.id, REPLY.path, visits.after_reply, REPLY.call, 1)


def signal_at(visits: Visits, point: Point, signal: str) -> Visit:
    """Return the visit of a point at which a signal comes."""
    return Visit(
        named(point, signal),
        point.path,
        lambda: visits.visit(point, signal),
        point.call,
        point.number,
    )


def failure_at(judge: Callable[[Failure], list[PointResult]], failure: Failure) -> Visit:
    """Return the visit of a point at which a system call fails."""
    point = failure.point
    return Visit(failure.id, point.path, lambda: judge(failure), point.call, point.number)
