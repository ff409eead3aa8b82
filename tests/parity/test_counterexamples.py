"""How a counterexample is described and saved."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from parity.comparisons import (
    BASELINE,
    FIRST,
    NOTHING,
    PORT,
    SECOND,
    MakeSide,
    compare,
    find_counterexample,
    one_table,
)
from parity.port_mutants import mutant
from parity.port_mutants.model import served

from pytest_reedbackup.generate.last.descriptions import describe_scenario
from pytest_reedbackup.generate.last.obstacles import Obstacle, ObstacleKind, file_name
from pytest_reedbackup.generate.last.scenarios import (
    Restore,
    Scenario,
    TableHistory,
)
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.parity.comparison import Difference
from pytest_reedbackup.parity.counterexamples import Counterexample, describe, save
from pytest_reedbackup.views.tree import Tree

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", get_args(ObstacleKind))
@pytest.mark.parametrize("path", ["1.bsdiff", "version.log", "current.csv", ""])
def test_every_obstacle_can_be_described(path: str, kind: ObstacleKind) -> None:
    scenario = one_table(obstacles=(Obstacle(path, kind),))
    with temporary_bases(scenario, "a") as (base,):
        assert describe_scenario(scenario, base)


@pytest.mark.parametrize("name", ["a%0Ab", "%FF%FEbytes", "cafe%CC%81", "%1B[31m", "%20"])
def test_odd_names_are_shown_escaped_on_one_line(name: str, side: MakeSide, tmp_path: Path) -> None:
    mutated, port = side(served(mutant("written-by-admin"), tmp_path / "copy")), side("python-last")
    scenario = Scenario((TableHistory(name, (FIRST, SECOND)),), (Restore(1),))
    with pytest.raises(Difference) as raised:
        compare(mutated, port, scenario)
    counterexample = Counterexample(scenario, raised.value, None)
    lines = [counterexample.title, *describe(counterexample, "a", "b")]
    assert all(line.isprintable() for line in lines), lines
    assert any(line == f"  table {file_name(name)!a}" for line in lines), lines
    save(counterexample, tmp_path / "saved", lines)
    assert (tmp_path / "saved" / "README.txt").read_text("utf-8").splitlines() == lines


@pytest.mark.usefixtures("_specified_only")
def test_an_undeclared_defect_is_named(side: MakeSide, tmp_path: Path) -> None:
    undeclared = side("python-last", PORT - {"D7"})
    broken = find_counterexample(undeclared, side(BASELINE, NOTHING), tmp_path / "saved")
    lines = "\n".join(broken.__notes__)
    assert "this is just defect D7" in lines
    assert "have it declare D7" in lines
    assert "glued to the last one" in broken.expected
    assert "glued" not in broken.found


def test_a_difference_is_saved_as_a_folder_and_described(side: MakeSide, tmp_path: Path) -> None:
    mutated, port = (
        side(served(mutant("before-the-target-instead-of-at"), tmp_path / "copy")),
        side("python-last"),
    )
    broken = find_counterexample(mutated, port, tmp_path / "saved")
    (folder,) = (tmp_path / "saved").iterdir()
    lines = "\n".join(broken.__notes__)
    assert f"kept in {folder}" in lines
    assert "version.log" in lines
    assert "call 1: restore_point_in_time(target_timestamp=1)" in lines
    assert "| B: python-last" in lines
    assert broken.found.splitlines()[0] == "skipped"
    assert broken.expected.splitlines()[0] == "restored to version 1"
    assert {path.name for path in folder.iterdir()} == {
        "database",
        "after-A",
        "after-B",
        "scenario.json",
        "README.txt",
    }
    readme = (folder / "README.txt").read_text("utf-8")
    assert readme.endswith("the command\n")
    assert "call 1: restore_point_in_time(target_timestamp=1)" in readme
    before, after_a, after_b = (
        Tree.read(folder / name / ".reed") for name in ("database", "after-A", "after-B")
    )
    assert not before.differences(after_a)
    (table,) = (path.name for path in (folder / "database" / ".reed" / "tables").iterdir())
    changed = "\n".join(before.differences(after_b))
    assert f"tables/{table}/version.log: content differs" in changed
