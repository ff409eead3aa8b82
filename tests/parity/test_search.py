"""Whole searches: without a difference, and ended by a fault or what a recording lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from parity.comparisons import (
    BASELINE,
    DEFECT_SCENARIOS,
    NOTHING,
    PORT,
    MakeSide,
    find_counterexample,
    search,
)
from parity.port_mutants.model import served

from pytest_reedbackup.generate.campaign import Fuzzing
from pytest_reedbackup.generate.last.scenarios import (
    Scenario,
)
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.model.adapter_faults import Crashed, NotRecorded
from pytest_reedbackup.parity.comparison import Comparison, Difference
from pytest_reedbackup.parity.sides import Side
from reedbase_backup.adapter.protocol import Contract

pytestmark = pytest.mark.slow


def test_the_port_is_at_parity_with_itself_over_the_protocol(
    side: MakeSide, tmp_path: Path
) -> None:
    port, itself = side("python-last"), side(served(None, tmp_path / "copy"))
    tally = search(port, itself, Fuzzing(examples=150, seed=2), tmp_path / "saved")
    assert tally.scenarios >= 150
    assert tally.calls > 200
    assert not tally.accepted


@pytest.mark.campaign
def test_two_thousand_databases_show_no_difference(side: MakeSide, tmp_path: Path) -> None:
    port, itself = side("python-last"), side(served(None, tmp_path / "copy"))
    tally = search(port, itself, Fuzzing(examples=2000, seed=3), tmp_path / "saved")
    assert tally.scenarios >= 2000
    assert not tally.accepted


@pytest.mark.usefixtures("_specified_only")
def test_the_port_differs_from_the_baseline_in_declared_defects_only(
    side: MakeSide, tmp_path: Path
) -> None:
    port, baseline = side("python-last"), side(BASELINE, NOTHING)
    tally = search(port, baseline, Fuzzing(examples=300, seed=1), tmp_path / "saved")
    assert {"D9", "D10", "D11", "D15", "D16"} <= tally.accepted.keys()


@pytest.mark.campaign
@pytest.mark.usefixtures("_specified_only")
def test_two_thousand_databases_show_the_declared_defects_only(
    side: MakeSide, tmp_path: Path
) -> None:
    port, baseline = side("python-last"), side(BASELINE, NOTHING)
    tally = search(port, baseline, Fuzzing(examples=2000, seed=5), tmp_path / "saved")
    assert set(DEFECT_SCENARIOS) <= tally.accepted.keys()


def failing(side: Side, fault: Exception, after: int) -> Side:
    """Return the side, whose adapter raises `fault` after so many calls."""
    calls = iter(range(after))
    connection = side.implementation.connection
    call = connection.call

    def fails(method: str, contract: Contract, base: Path, **params: int) -> Answer:
        if next(calls, None) is None:
            raise fault
        return call(method, contract, base, **params)

    connection.call = fails  # type: ignore[method-assign]
    return side


def test_a_recording_that_lacks_a_call_ends_the_search_before_a_difference(
    side: MakeSide, tmp_path: Path
) -> None:
    a, b = side("python-last"), side("python-last")
    failing(b, NotRecorded("no such call"), after=20)
    with pytest.raises(NotRecorded):
        search(a, b, Fuzzing(examples=50), tmp_path / "saved")


@pytest.mark.usefixtures("_specified_only")
def test_what_a_recording_lacks_is_passed_over_while_shrinking(
    side: MakeSide, tmp_path: Path
) -> None:
    """Shrinking tries nothing that is recorded; so the first counterexample is the smallest."""
    undeclared, b = side("python-last", PORT - {"D10"}), side(BASELINE, NOTHING)
    known: set[str] = set()
    found: list[Scenario] = []
    tried: list[Scenario] = []
    call, play = b.implementation.connection.call, Comparison.play

    def recorded(method: str, contract: Contract, base: Path, **params: int) -> Answer:
        if found and tried[-1].digest not in known:
            raise NotRecorded("no such call")
        known.add(tried[-1].digest)
        return call(method, contract, base, **params)

    def noting(self: Comparison, scenario: Scenario) -> None:
        tried.append(scenario)
        try:
            play(self, scenario)
        except Difference:
            found.append(scenario)
            raise

    b.implementation.connection.call = recorded  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Comparison, "play", noting)
        broken = find_counterexample(undeclared, b, tmp_path / "saved")
    passed_over = {scenario.digest for scenario in tried} - known
    assert 0 < len(passed_over) <= 600
    assert "this is just defect D10" in "\n".join(broken.__notes__)
    (folder,) = (tmp_path / "saved").iterdir()
    assert Scenario.from_json((folder / "scenario.json").read_bytes()) == found[0]


@pytest.mark.parametrize("failing_side", ["a", "b"])
def test_a_fault_of_either_adapter_is_no_difference(
    failing_side: str, side: MakeSide, tmp_path: Path
) -> None:
    a, b = side("python-last"), side(BASELINE, NOTHING)
    failing(a if failing_side == "a" else b, Crashed("it ended"), after=20)
    with pytest.raises(Crashed) as crashed:
        search(a, b, Fuzzing(examples=50), tmp_path / "saved")
    assert ("the baseline" in str(crashed.value)) == (failing_side == "b")
    assert not (tmp_path / "saved").exists()
