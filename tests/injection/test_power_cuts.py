"""Power cuts on real file systems: who does not sync is seen, and who does is not accused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from injection.conftest import MakeStage, Prepare

from pytest_reedbackup.injection.power import disks
from pytest_reedbackup.injection.power.disks import Disk, FileSystem
from pytest_reedbackup.injection.sweeps.sampling import evenly
from pytest_reedbackup.injection.sweeps.visiting import Visits
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

pytestmark = pytest.mark.slow

NO_SYNC = "mutants.create.durable:SyncsNothing"
"""It keeps every promise but for those about power cuts: it syncs nothing."""


def visited(visits: Visits, most: int | None = None) -> list[PointResult]:
    order = evenly(visits.points())
    midst = [result for point in order[:most] for result in visits.visit(point)]
    return [*midst, *visits.after_reply()]


def broken(results: list[PointResult]) -> list[PointResult]:
    return [result for result in results if result.outcome is PointOutcome.BROKEN]


def accused(results: list[PointResult]) -> list[str]:
    """Return in words what is broken, for who reads that nothing was to be."""
    return [
        f"{result.point} {result.moment}: {result.detail}:"
        f" expected {result.expected}, found {result.found}"
        for result in broken(results)
    ]


def test_the_reference_survives_a_power_cut_in_the_midst_of_a_create(
    prepare: Prepare, disk: MakeStage
) -> None:
    python = prepare("python")
    results = visited(python.visits(python.create, disk))
    assert accused(results) == []
    assert len(results) >= 3 * 8


def test_the_reference_survives_a_power_cut_in_the_midst_of_a_restore(
    prepare: Prepare, disk: MakeStage
) -> None:
    python = prepare("python")
    results = visited(python.visits(python.restore, disk), most=13)
    assert accused(results) == []
    assert {result.moment for result in results} > {"power cut at once"}


def test_a_backup_that_was_never_synced_is_seen_to_be_lost(
    prepare: Prepare, disk: MakeStage
) -> None:
    mutant = prepare(NO_SYNC)
    results = visited(mutant.visits(mutant.create, disk))
    (first, *_) = lost = broken(results)
    # It was reported, and at once nothing of it is on the disk; its name is, without its content,
    # once the file system has written its journal.
    assert {(result.point, result.moment) for result in lost} == {
        ("reply#1", "power cut at once"),
        ("reply#1", "power cut after the file system's journal was written"),
    }
    assert any("rename" in line for line in first.trace)
    assert (Path(first.kept) / "backups").is_dir()


def test_a_cut_is_of_one_moment_though_the_disk_is_written_to_meanwhile(
    disk: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, copies = tmp_path / "used", 0

    def copy(source: Path, target: Path) -> None:
        nonlocal copies
        copies += 1
        shutil.copyfile(source, target)
        if copies == 1:  # to a part that has been copied
            used.write_bytes(b"journal and all")

    monkeypatch.setattr(disks, "_copy", copy)
    cut_disk = Disk(tmp_path, FileSystem.EXT4)
    used.write_bytes(b"journal")
    assert cut_disk.cut("now").read_bytes() == b"journal and all"
    assert copies == 2


def test_a_mere_kill_loses_nothing_that_was_not_synced(prepare: Prepare) -> None:
    mutant = prepare(NO_SYNC)
    results = visited(mutant.visits(mutant.create))
    assert results
    assert accused(results) == []


LINGERS = """
import os, sys
file = open(sys.argv[1], "wb")
print("there", flush=True)
sys.stdin.readline()
file.write(os.urandom(1 << 20))
file.flush()
os.fsync(file.fileno())
"""


@pytest.mark.parametrize("kind", FileSystem)
def test_who_lingers_on_a_disk_does_nothing_to_its_next_use(
    disk: MakeStage, tmp_path: Path, kind: FileSystem
) -> None:
    used = Disk(tmp_path, kind)
    with used.preparing() as place:
        (place / "prepared").touch()
    with used.used() as place:
        lingering = subprocess.Popen(
            [sys.executable, "-c", LINGERS, str(place / "of before")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert lingering.stdout is not None
        assert lingering.stdout.readline() == b"there\n"
    with used.used() as place:
        lingering.communicate(b"\n")
        used.write_all()
        assert {*os.listdir(place)} - {"lost+found"} == {"prepared"}
        image = used.cut("of the second use")
    with used.powered_again(image) as place:
        assert {*os.listdir(place)} - {"lost+found"} == {"prepared"}
