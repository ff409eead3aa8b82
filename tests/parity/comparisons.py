"""Scenarios, comparisons and searches that several tests make."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.generate.last.backup_files import BackupFile
from pytest_reedbackup.generate.last.file_damage import MissingFile
from pytest_reedbackup.generate.last.obstacles import Obstacle
from pytest_reedbackup.generate.last.scenarios import (
    Create,
    Edit,
    List,
    Restore,
    Scenario,
    TableHistory,
    Version,
)
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.model import divergences
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.parity.comparison import Comparison, Tally
from pytest_reedbackup.parity.search import CounterexampleSearch
from pytest_reedbackup.parity.sides import Side

BASELINE = "tests.last.baseline.imitation:Baseline"
PROJECT = Path(__file__).resolve().parents[2]
PORT = divergences.shipped(["python-last"]).defects(["python-last"])
"""The defects that the port declares to do the safe thing about."""
NOTHING: frozenset[str] = frozenset()

FIRST, SECOND = Version(at=1, edits=(Edit(extra=b"a\n"),)), Version(at=2, edits=(Edit(keep=2),))
SOUND = TableHistory("text", (FIRST, SECOND))


def one_table(*calls: Any, **changes: Any) -> Scenario:
    table = TableHistory(**{"name": "text", "versions": (FIRST, SECOND), **changes})
    return Scenario((table,), calls or (Restore(2),))


DEFECT_SCENARIOS = {
    "D1": Scenario((SOUND,), (Create(),)),
    "D3": Scenario((SOUND,), (Create(),), backups=(BackupFile("5.tar.gz"),)),
    "D7": one_table(log="no-final-newline"),
    "D9": one_table(current="lost"),
    "D10": one_table(versions=(FIRST, Version(2, delta=MissingFile()))),
    "D11": Scenario((), (List(),), backups=(BackupFile("5.tar.gz", "empty"),)),
    "D15": Scenario(
        (SOUND,), (Restore(1),), obstacles=(Obstacle("registry/users.dict", "folder"),)
    ),
    "D16": Scenario((SOUND,), (Restore(1),), users=b"code|\nx|bob|1\n3|system|1700000000\n"),
    "D17": one_table(obstacles=(Obstacle(".lock", "dangling-outside"),)),
}
"""By the defect, a scenario whose outcome it changes."""


class MakeSide(Protocol):
    def __call__(self, option: str, mended: frozenset[str] = PORT) -> Side: ...


PAST_A_LINK = one_table(Restore(1), obstacles=(Obstacle("current.new.tmp", "link-outside"),))
"""The port restores it all the same, where the baseline would write through a symlink."""


def compare(a: Side, b: Side, scenario: Scenario) -> Tally:
    """Run one scenario on both sides. Raises Difference."""
    tally = Tally()
    with temporary_bases(scenario, "a", "b") as (base_a, base_b):
        Comparison(a.run_on(base_a, scenario), b.run_on(base_b, scenario), tally).play(scenario)
    return tally


def search(a: Side, b: Side, fuzzing: Fuzzing, folder: Path, repeat: str = "the command") -> Tally:
    """Search for a counterexample; return what was compared where there is none.

    Raises BrokenPromise for a counterexample, which is saved in `folder`.
    """
    tally = Tally()

    def campaign(one: Implementation, other: Implementation) -> None:
        sides = Side(one, a.mended), Side(other, b.mended)
        CounterexampleSearch(*sides, folder, repeat, tally).run(fuzzing, share=0)

    run_campaign(a.implementation, campaign, b.implementation)
    return tally


# More examples than the rarest mutant needs; a search ends with the first difference.
_ENOUGH = 2000


def find_counterexample(a: Side, b: Side, folder: Path, seed: int = 1) -> BrokenPromise:
    """Search for a counterexample, which must be found; return what is raised for it."""
    with pytest.raises(BrokenPromise) as broken:
        search(a, b, Fuzzing(_ENOUGH, seed), folder)
    return broken.value
