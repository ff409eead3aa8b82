"""The port under sweeps loses nothing at any point; one that is a little weaker is seen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep
from pytest_reedbackup.reports.json_report import Report

RunSuite = Callable[..., tuple[subprocess.CompletedProcess[str], Report]]

WEAK_PORT = """
from reedbase_backup.last import files
from reedbase_backup.last.served import ServedPort
from reedbase_backup.last.versions.addition import TableFiles
{weakness}
class Weak(ServedPort):
    name, contracts = "weak", ("last",)
"""

WEAKNESSES = {
    "content": ("files.sync = lambda descriptor: None", "power-cut"),
    "names": ("files.sync_file = lambda path: None", "power-cut"),
    "finishing": ("TableFiles.finish = lambda *_: None", "killed"),
    "leftovers": ("TableFiles.remove_leftovers = lambda *_: None", "killed"),
    "taking back": ("TableFiles._withdraw = lambda *_: None", "failing-call"),
}
"""What the port is to do no more, by the statement that sees to it, and the case that sees it."""


@pytest.fixture
def own_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of modules that child processes can import."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, [_given()])]))
    return tmp_path


def _given() -> str:
    return os.environ.get("PYTHONPATH", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "weakness",
    [
        *("content", "names"),
        # Up to half a minute each.
        *(
            pytest.param(name, marks=pytest.mark.campaign)
            for name in ("finishing", "leftovers", "taking back")
        ),
    ],
)
def test_a_weaker_port_is_held_to_what_it_claims(
    own_modules: Path, run_suite: RunSuite, weakness: str
) -> None:
    statement, case_id = WEAKNESSES[weakness]
    (own_modules / "weak_port.py").write_text(WEAK_PORT.format(weakness=statement))
    # Of the 1,429 calls that can fail, most show it; of the power cuts, few.
    faults = "quick" if case_id == "failing-call" else "full"
    ended, report = run_suite(
        "weak_port:Weak",
        options=[
            "--reedbackup-contract=last",
            f"--reedbackup-case=last/restore/interrupted/{case_id}",
            f"--reedbackup-faults={faults}",
        ],
    )
    (case,) = report.cases
    if case.outcome == "skip":
        pytest.skip(case.detail)
    assert case.outcome == "fail", ended.stdout
    assert case.sweep
    assert case.sweep.first_broken


@pytest.mark.campaign
@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"])
def test_the_port_stands_every_point(run_suite: RunSuite, disk: str) -> None:
    ended, report = run_suite(
        "python-last",
        options=[
            "--reedbackup-case=last/*/interrupted/*",
            "--reedbackup-case=last/*/power-cut",
            "--reedbackup-case=last/restore/failing-call",
            "--reedbackup-faults=full",
            f"--reedbackup-disk={disk}",
        ],
    )
    swept = [case.sweep for case in report.cases if case.sweep]
    assert [result for sweep in swept for result in sweep.broken] == [], ended.stdout
    assert sum(sweep.visited for sweep in swept) > 300
    assert {case.outcome for case in report.cases} == {"pass", "diverges"}


def visit(point: str, outcome: PointOutcome, about: str = "") -> Visit:
    return Visit(point, about, lambda: [PointResult(point=point, path=about, outcome=outcome)])


def swept(tmp_path: Path, *visits: Visit, about: str = "", share: int = 0) -> list[Sweep]:
    """What a sweep of a case that states a defect records."""
    recorded: list[Sweep] = []
    sweeper = Sweeper(tmp_path, FileSystem.EXT4, share=share, shares=2, record=recorded.append)
    sweeper.of_defect("what is lost", about).sweep(visits)
    return recorded


KEPT, BROKEN, MISSED = PointOutcome.KEPT, PointOutcome.BROKEN, PointOutcome.NOT_REACHED


def test_a_defect_is_shown_by_one_point_of_all(tmp_path: Path) -> None:
    (sweep,) = swept(tmp_path, visit("a#1", KEPT), visit("a#2", BROKEN), visit("a#3", KEPT))
    assert sweep.visited == 3


def test_where_all_points_are_stood_the_defect_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BrokenPromise, match="what is lost") as broken:
        swept(tmp_path, visit("a#1", KEPT), visit("a#2", KEPT))
    assert broken.value.found == "as it must be, at all of 2 points"


def test_a_defect_is_looked_for_where_it_is_about(tmp_path: Path) -> None:
    visits = (visit("a#1", KEPT, ".reed/registry/users.dict"), visit("a#2", BROKEN, ".reed/other"))
    with pytest.raises(BrokenPromise, match="what is lost"):
        swept(tmp_path, *visits, about="registry/users.dict")
    with pytest.raises(MissingCapability):
        swept(tmp_path, *visits, about="nothing of the kind")


def test_points_that_no_call_comes_to_show_no_defect_and_no_lack_of_it(tmp_path: Path) -> None:
    with pytest.raises(MissingCapability):
        swept(tmp_path, visit("a#1", MISSED))


def test_of_several_workers_one_alone_looks_for_a_defect(tmp_path: Path) -> None:
    assert swept(tmp_path, visit("a#1", KEPT), share=1) == []
