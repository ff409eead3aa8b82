"""Each weakness against power cuts and kills is seen where it is, and nowhere else."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from injection.conftest import MakeStage, Prepare, Prepared
from mutants.conforming import Conforming
from mutants.create.durable import NoSyncOfTheArchive, NoSyncOfTheFolder
from mutants.model import Archive, BackupInfo

from pytest_reedbackup.injection.sweeps.scenes import full_scene
from pytest_reedbackup.injection.sweeps.visiting import Visits
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

pytestmark = pytest.mark.slow


class PrunesFirst(Conforming):
    """It prunes before the new backup is there for good."""

    def store(self, base: Path, seconds: int) -> Archive:
        old = self.archives(base)
        if len(old) >= 32:
            old[-1].path.unlink()
            old[-2].path.unlink()
            self.sync(base / "backups")
        return super().store(base, seconds)


class Shrugs(Conforming):
    """It ends as if all were well where somebody interrupts it."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        return super().create_backup(base_path, now_ns)


def broken(results: list[PointResult]) -> set[str]:
    return {result.moment for result in results if result.outcome is PointOutcome.BROKEN}


def creates(prepare: Prepare, mutant: type[Conforming], disk: MakeStage | None) -> Visits:
    prepared: Prepared = prepare(f"{mutant.__module__}:{mutant.__name__}")
    return prepared.visits(prepared.create, disk)


def test_a_durable_create_is_not_accused(prepare: Prepare, disk: MakeStage) -> None:
    visits = creates(prepare, Conforming, disk)
    assert not broken(visits.after_reply())
    assert not broken([result for p in visits.points()[-6:] for result in visits.visit(p)])


@pytest.mark.parametrize("mutant", [NoSyncOfTheArchive, NoSyncOfTheFolder])
def test_a_missing_sync_is_seen(
    prepare: Prepare, disk: MakeStage, mutant: type[Conforming]
) -> None:
    assert "power cut at once" in broken(creates(prepare, mutant, disk).after_reply())


def test_a_prune_before_the_new_backup_is_seen_by_a_mere_kill(prepare: Prepare) -> None:
    prepared: Prepared = prepare(f"{PrunesFirst.__module__}:PrunesFirst", full_scene)
    visits = prepared.visits(prepared.create)
    last = [point for point in visits.points() if point.call == "unlink"][-1]
    after = next(p for p in visits.points() if p.after == "unlink" and p.call != "unlink")
    assert last.after == "unlink"
    (result,) = visits.visit(after)
    assert result.outcome is PointOutcome.BROKEN
    assert "earlier backups" in result.detail


def test_who_ends_as_if_all_were_well_is_seen(prepare: Prepare) -> None:
    visits = creates(prepare, Shrugs, None)
    (result,) = visits.visit(visits.points()[-1], "SIGTERM")
    assert result.outcome is PointOutcome.BROKEN
    assert result.point.endswith(" SIGTERM")
    assert "did not answer" in result.detail


def test_the_work_of_a_child_is_reached(prepare: Prepare) -> None:
    serve = shlex.join([sys.executable, "-m", "reedbase_backup", "serve", "python"])
    prepared: Prepared = prepare(f"sh -c {shlex.quote(f'{serve}; exit 3')}")
    visits = prepared.visits(prepared.create)
    points = visits.points()
    (result,) = visits.visit(points[len(points) // 2])
    assert result.outcome is PointOutcome.KEPT


def test_a_call_of_which_nothing_is_seen_is_not_checked(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = creates(prepare, Conforming, None)
    nothing: Callable[..., list[object]] = lambda *_: []  # noqa: E731
    for seen in ("changing_points", "inside_of"):
        monkeypatch.setattr(f"pytest_reedbackup.injection.sweeps.visiting.{seen}", nothing)
    with pytest.raises(MissingCapability) as caught:
        visits.points()
    assert caught.value.tool
