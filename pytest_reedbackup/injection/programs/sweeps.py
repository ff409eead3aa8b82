"""Sweeps over the system calls of a change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.injection.power.disks import Disk, FileSystem
from pytest_reedbackup.injection.programs.changes import Checked
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.injection.sweeps.sampling import evenly, failures_evenly
from pytest_reedbackup.injection.sweeps.stages import DiskStage, FolderStage, Stage
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.sweeps.sweeping import failure_at, reply, signal_at
from pytest_reedbackup.injection.sweeps.visiting import KILL, Visits
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.views.folders import before_call


@dataclass(frozen=True)
class ChangeSweep:
    """A change of one database, at each of whose system calls something happens."""

    base: Path
    checked: Checked
    most: int | None
    """How many points are visited at most; an even sample."""
    only: Collection[str]
    """The names of those that are visited, where any are given."""
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""

    def cuts(self, file_system: FileSystem | None) -> Sweep:
        """Cut the power at each call, and once it has ended; kill it where there is no file system.

        Raise MissingCapability, and BrokenPromise where it fails undisturbed.
        """
        with self._visits(file_system) as visits:
            points = evenly(visits.points())
            return self._made(
                [reply(visits), *(signal_at(visits, point, KILL) for point in points)]
            )

    def failures(self, errors: Collection[str]) -> Sweep:
        """Have each call fail with each of these errors, once and for good. Raise as `cuts`."""
        with self._visits(None) as visits:
            failures = failures_evenly(visits.points())
            chosen = [failure for failure in failures if failure.error in errors]
            judge = partial(visits.after_failure, successes_only=False)
            return self._made([failure_at(judge, failure) for failure in chosen])

    def _made(self, visits: Sequence[Visit]) -> Sweep:
        swept: list[Sweep] = []
        sweeper = Sweeper(self.kept, only=self.only, record=swept.append)
        with suppress(BrokenPromise):  # it is in the sweep
            sweeper.sweep(visits[: self.most], [before_call(self.base)])
        return swept[0]

    @contextmanager
    def _visits(self, file_system: FileSystem | None) -> Iterator[Visits]:
        with scratch() as folder:
            stage: Stage = FolderStage(self.base, folder)
            if file_system is not None:
                stage = DiskStage(self.base, Disk(folder, file_system))
            yield Visits(self.checked, stage, self.kept)
