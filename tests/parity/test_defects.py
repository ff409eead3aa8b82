"""Differences that declared defects explain, and those that nothing explains."""

from __future__ import annotations

from typing import get_args

import pytest
from parity.comparisons import (
    BASELINE,
    DEFECT_SCENARIOS,
    NOTHING,
    PAST_A_LINK,
    PORT,
    SOUND,
    MakeSide,
    compare,
    one_table,
)
from parity.side_effects import AFTER_A_RESTORE, EXPECTED_LINES, PortWithSideEffect

from pytest_reedbackup.generate.last.obstacles import Obstacle, ObstacleKind
from pytest_reedbackup.generate.last.scenarios import (
    Create,
    Restore,
    Scenario,
)
from pytest_reedbackup.parity.comparison import Difference
from pytest_reedbackup.parity.observations import OUTSIDE

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("defect", DEFECT_SCENARIOS)
def test_a_defect_of_one_side_is_a_difference_unless_the_other_declares_it(
    defect: str, side: MakeSide
) -> None:
    baseline, scenario = side(BASELINE, NOTHING), DEFECT_SCENARIOS[defect]
    assert defect in compare(side("python-last"), baseline, scenario).accepted
    assert defect in compare(baseline, side("python-last"), scenario).accepted
    with pytest.raises(Difference):
        compare(side("python-last", PORT - {defect}), baseline, scenario)


@pytest.mark.parametrize("defect", DEFECT_SCENARIOS)
def test_who_declares_a_defect_must_do_the_safe_thing(defect: str, side: MakeSide) -> None:
    with pytest.raises(Difference):
        compare(side("python-last"), side(BASELINE, frozenset({defect})), DEFECT_SCENARIOS[defect])


@pytest.mark.parametrize("defect", DEFECT_SCENARIOS)
def test_what_both_sides_do_is_no_difference(defect: str, side: MakeSide) -> None:
    for option, mended in (("python-last", PORT), (BASELINE, NOTHING)):
        one, other = side(option, mended), side(option, mended)
        assert not compare(one, other, DEFECT_SCENARIOS[defect]).accepted


@pytest.mark.parametrize("kind", EXPECTED_LINES, ids=lambda kind: kind.__name__)
def test_whatever_else_one_side_does_is_a_difference(
    kind: type[PortWithSideEffect], side: MakeSide
) -> None:
    a, b = side(f"parity.side_effects:{kind.__name__}"), side("python-last")
    scenario = Scenario((SOUND,), (Restore(1), Create()))
    with pytest.raises(Difference) as raised:
        compare(a, b, scenario)
    difference = raised.value
    observed = [line for lines in difference.a.values() for line in lines]
    assert any(EXPECTED_LINES[kind] in line for line in observed), observed
    assert difference.lines(difference.a) != difference.lines(difference.b)


@pytest.mark.parametrize("kind", AFTER_A_RESTORE, ids=lambda kind: kind.__name__)
def test_a_declared_defect_hides_nothing_else_in_the_same_table(
    kind: type[PortWithSideEffect], side: MakeSide
) -> None:
    baseline = side(BASELINE, NOTHING)
    assert "D17" in compare(side("python-last"), baseline, PAST_A_LINK).accepted
    with pytest.raises(Difference):
        compare(side(f"parity.side_effects:{kind.__name__}"), baseline, PAST_A_LINK)


def test_what_is_written_through_a_symlink_is_seen_outside_the_base(
    side: MakeSide,
) -> None:
    with pytest.raises(Difference) as raised:
        compare(side(BASELINE, NOTHING), side("python-last", PORT - {"D17"}), PAST_A_LINK)
    assert "changed: outside/0: other content" in raised.value.a[OUTSIDE][0]
    assert raised.value.b[OUTSIDE] == ("as before",)


def test_what_follows_from_a_glued_line_is_no_difference_either(
    side: MakeSide,
) -> None:
    scenario = one_table(Restore(2), Restore(2), Restore(2**63), log="no-final-newline")
    tally = compare(side("python-last"), side(BASELINE, NOTHING), scenario)
    assert tally.accepted["D7"] == 1
    assert sum(tally.accepted.values()) == 3


@pytest.mark.parametrize("kind", get_args(ObstacleKind))
@pytest.mark.parametrize("name", ["rollback_2.tmp", "rollback_7.tmp", "current.new.tmp"])
def test_what_the_baseline_leaves_alone_the_port_may_sweep(
    name: str, kind: ObstacleKind, side: MakeSide
) -> None:
    scenario = one_table(Restore(1), obstacles=(Obstacle(name, kind),))
    tally = compare(side("python-last"), side(BASELINE, NOTHING), scenario)
    assert tally.accepted.keys() <= {"D10", "D17"}
