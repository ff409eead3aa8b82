"""The fixture of the cases that are sweeps: how much of them a run makes, and where."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.case import Case, case_of
from pytest_reedbackup.model.sweep import Faults, Sweep
from pytest_reedbackup.session.attempts import SWEPT
from pytest_reedbackup.session.places import kept_folder
from pytest_reedbackup.session.planning import divide, target_of
from pytest_reedbackup.session.pytest_internals import parameters_of
from pytest_reedbackup.session.run import Run

QUICK_SECS = 30.0
"""What all sweeps of one target take together where only a sample is visited."""

_FIXTURE = "reedbackup_sweep"
_LONGEST_NAME = 120


@pytest.hookimpl(trylast=True)  # the share comes after the implementation in a test's name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Divide a sweep that visits every point among the workers of pytest-xdist."""
    run = Run.of(metafunc.config)
    if _FIXTURE in metafunc.fixturenames and run and run.settings.sweep_shares > 1:
        metafunc.fixturenames.append("share")
        divide(metafunc, run.settings.sweep_shares)


@pytest.fixture
def reedbackup_sweep(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sweeper]:
    """What visits the points of this case: all of them, or a sample in its part of the time."""
    run, started = Run.of(request.config), time.monotonic()
    share = parameters_of(request.node).get("share", 0)
    folder = kept_folder(request.config, tmp_path_factory, "reedbackup-sweeps")
    kept = folder / _file_name(request.node.name)

    def record(sweep: Sweep) -> None:
        request.node.stash[SWEPT] = sweep

    if run is None or run.settings.faults is Faults.FULL:
        settings = run.settings if run else None
        yield Sweeper(
            kept,
            settings.file_system if settings else FileSystem.EXT4,
            only=settings.points if settings else (),
            share=share,
            shares=settings.sweep_shares if settings else 1,
            record=record,
        )
        return
    time_left = _time_left(request)
    settings = run.settings
    part = time_left.part(request, settings.workers)
    until = started + part
    yield Sweeper(kept, settings.file_system, until, settings.points, record=record)
    time_left.spare += part - (time.monotonic() - started)


def _file_name(test: str) -> str:
    """Return a test's name as a file can have it: a command line may be long."""
    name = re.sub(r"[^\w.,+-]+", "_", test)
    digest = hashlib.sha256(test.encode(errors="surrogateescape")).hexdigest()
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}-{digest[:8]}"


@dataclass
class _TimeLeft:
    """The time of the sweeps of one target in this process."""

    spare: float = 0.0
    """Seconds that those so far did not need; below 0 where they took longer."""

    def part(self, request: pytest.FixtureRequest, workers: int) -> float:
        """Return the seconds for a case: its own, by its weight, and what others left.

        Several workers have all of the time each.
        """
        own, target = case_of(request.node), target_of(request.node)
        chosen: set[Case] = {
            case
            for item in request.session.items
            if (case := case_of(item)) is not None and case.is_sweep and target_of(item) == target
        }
        weights = sum(case.weight for case in chosen)
        spare, self.spare = self.spare, 0.0
        return QUICK_SECS * (workers * own.weight / weights if own else 1) + spare


_TIME_LEFT = pytest.StashKey[dict[str, _TimeLeft]]()


def _time_left(request: pytest.FixtureRequest) -> _TimeLeft:
    of_targets = request.config.stash.setdefault(_TIME_LEFT, {})
    return of_targets.setdefault(str(target_of(request.node)), _TimeLeft())
