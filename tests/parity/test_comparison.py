"""How calls are made on both sides: held locks, moved clocks."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from parity.comparisons import (
    BASELINE,
    NOTHING,
    PORT,
    PROJECT,
    SOUND,
    MakeSide,
    compare,
    one_table,
)

from pytest_reedbackup.generate.last.scenarios import (
    Create,
    List,
    Restore,
    Scenario,
)
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.parity.comparison import Difference, observe_alone
from pytest_reedbackup.parity.creates import KEPT
from pytest_reedbackup.parity.observations import Observation
from pytest_reedbackup.parity.sides import Side

pytestmark = pytest.mark.slow


def observations_of(side: Side, scenario: Scenario) -> list[Observation]:
    with temporary_bases(scenario, "a") as (base,):
        return observe_alone(side.run_on(base, scenario), scenario)


@pytest.mark.parametrize("hold", ["a-moment", "throughout"])
def test_a_lock_is_held_by_others_during_the_call(hold: Any, side: MakeSide) -> None:
    for option, mended in (("python-last", PORT), (BASELINE, NOTHING)):
        (observation,) = observations_of(side(option, mended), one_table(Restore(1), lock=hold))
        is_error = observation["table text"][0].startswith(
            'error IoError {"operation": "acquire_write'
        )
        assert is_error == (hold == "throughout")
        if hold == "throughout":
            break  # 4.6 s each


def test_creates_in_one_second_and_clocks_that_go_back_are_made_so_on_both_sides(
    side: MakeSide, tmp_path: Path
) -> None:
    """The port gets the time as a parameter; the imitation's clock is moved, where it can be."""
    served_baseline = shlex.join(
        ["env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "reedbase_backup", "serve", BASELINE]
    )
    port, baseline = side("python-last"), side(served_baseline, NOTHING)
    if not baseline.implementation.clock.is_settable:
        pytest.skip("needs libfaketime")
    scenario = Scenario((SOUND,), (Create(), Create(), Create(at=-60), List()))
    assert compare(port, baseline, scenario).accepted["D4"] == 1
    with pytest.raises(Difference) as raised:
        compare(side("python-last", PORT - {"D4"}), baseline, scenario)
    assert raised.value.call == 2
    assert raised.value.b[KEPT] == ("the backup of call 1 is overwritten",)


def test_without_clocks_that_can_be_set_no_two_backups_are_of_one_second(
    side: MakeSide,
) -> None:
    baseline = side(BASELINE, NOTHING)
    if baseline.implementation.clock.is_settable:
        pytest.skip("its clock can be set")
    scenario = Scenario((SOUND,), (Create(), Create(at=-5)))
    assert compare(side("python-last"), baseline, scenario).accepted["D4"] == 0
