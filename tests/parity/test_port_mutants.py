"""Every one-line slip in the port is found, and brought down to what a person can read."""

from __future__ import annotations

from pathlib import Path

import pytest
from parity.comparisons import MakeSide, find_counterexample
from parity.port_mutants import PORT_MUTANTS, mutant
from parity.port_mutants.model import PortMutant, served

from pytest_reedbackup.generate.last.scenarios import Scenario

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "port_mutant",
    [
        pytest.param(each, id=each.name, marks=pytest.mark.campaign if each.is_slow else ())
        for each in PORT_MUTANTS
    ],
)
def test_a_mutant_is_found_and_shrunk(
    port_mutant: PortMutant, side: MakeSide, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    port = side("python-last")
    mutated = side(served(port_mutant, tmp_path / "copy"))
    find_counterexample(mutated, port, kept, port_mutant.seed)
    (folder,) = kept.iterdir()
    scenario = Scenario.from_json((folder / "scenario.json").read_bytes())
    assert len(scenario.tables) <= 2
    assert all(len(table.versions) <= 3 for table in scenario.tables)
    assert sum(len(version.edits) for t in scenario.tables for version in t.versions) <= 4
    assert len(scenario.calls) == 1
    assert len(scenario.backups) <= 1


def test_the_same_seed_ends_with_the_same_database(side: MakeSide, tmp_path: Path) -> None:
    mutated = side(served(mutant("skipped-as-an-error"), tmp_path / "copy"))
    port = side("python-last")
    for kept in ("once", "twice"):
        find_counterexample(mutated, port, tmp_path / kept)
    once, twice = ([p.name for p in (tmp_path / k).iterdir()] for k in ("once", "twice"))
    assert once == twice
