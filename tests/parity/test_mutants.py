"""Every one-line slip in the port is found, and brought down to what a person can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from parity.mutations import MUTATIONS, Mutation, served

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.parity.hunt import Hunt, Party

pytestmark = pytest.mark.slow

ENOUGH = 2000
"""More examples than the rarest slip needs; a hunt ends with the first that differs."""


def hunted(a: Party, b: Party, kept: Path, seed: int = 1) -> BrokenPromise:
    def campaign(one: Implementation, other: Implementation) -> None:
        hunt = Hunt(Party(one, a.mended), Party(other, b.mended), kept, "the command")
        hunt.run(Fuzzing(ENOUGH, seed), share=0)

    with pytest.raises(BrokenPromise) as broken:
        run_campaign(a.implementation, campaign, b.implementation)
    return broken.value


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(each, id=each.name, marks=pytest.mark.campaign if each.is_slow else ())
        for each in MUTATIONS
    ],
)
def test_a_slip_is_found_and_shrunk(
    mutation: Mutation, party: Callable[..., Party], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    hunted(party(served(mutation, tmp_path / "copy")), party("python-last"), kept, mutation.seed)
    (folder,) = kept.iterdir()
    scenario = Scenario.decoded((folder / "scenario.json").read_bytes())
    assert len(scenario.tables) <= 2
    assert all(len(table.versions) <= 3 for table in scenario.tables)
    assert sum(len(version.edits) for t in scenario.tables for version in t.versions) <= 4
    assert len(scenario.calls) == 1
    assert len(scenario.backups) <= 1


def test_the_same_seed_ends_with_the_same_database(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    (mutation,) = (m for m in MUTATIONS if m.name == "skipped-as-an-error")
    slip, port = party(served(mutation, tmp_path / "copy")), party("python-last")
    for kept in ("once", "twice"):
        hunted(slip, port, tmp_path / kept)
    once, twice = ([p.name for p in (tmp_path / k).iterdir()] for k in ("once", "twice"))
    assert once == twice
