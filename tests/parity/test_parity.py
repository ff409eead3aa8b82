"""Two implementations of `last` side by side: what is a difference, what is not, what is told."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from parity.conftest import PORT
from parity.meddlers import BESIDE_A_RESTORE, EXPECTED, Meddler
from parity.mutations import MUTATIONS, served
from parity.test_mutants import hunted

import pytest_reedbackup.parity.hunt
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.generate.last.damages import Gone
from pytest_reedbackup.generate.last.descriptions import scenario_in_words
from pytest_reedbackup.generate.last.in_place import InPlace, What, file_name
from pytest_reedbackup.generate.last.names_in_backups import BackupName
from pytest_reedbackup.generate.last.sandbox import built
from pytest_reedbackup.generate.last.scenarios import (
    Create,
    Edit,
    List,
    Restore,
    Scenario,
    TableHistory,
    Version,
)
from pytest_reedbackup.generate.last.strategies import is_told, scenarios
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.model.adapter_faults import Crashed, NotRecorded
from pytest_reedbackup.parity.comparison import Comparison, Difference, Tally, observe
from pytest_reedbackup.parity.creates import KEPT
from pytest_reedbackup.parity.facts import OUTSIDE, Facts
from pytest_reedbackup.parity.hunt import Hunt, Party
from pytest_reedbackup.parity.keeping import Found, in_words, keep
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import Contract

pytestmark = pytest.mark.slow

BASELINE = "tests.last.baseline.imitation:Baseline"
PROJECT = Path(__file__).resolve().parents[2]
NOTHING: frozenset[str] = frozenset()

FIRST, SECOND = Version(at=1, edits=(Edit(extra=b"a\n"),)), Version(at=2, edits=(Edit(keep=2),))
SOUND = TableHistory("text", (FIRST, SECOND))


def one_table(*calls: Any, **changes: Any) -> Scenario:
    table = TableHistory(**{"name": "text", "versions": (FIRST, SECOND), **changes})
    return Scenario((table,), calls or (Restore(2),))


SHAPES = {
    "D1": Scenario((SOUND,), (Create(),)),
    "D3": Scenario((SOUND,), (Create(),), backups=(BackupName("5.tar.gz"),)),
    "D7": one_table(log="no-final-newline"),
    "D9": one_table(current="lost"),
    "D10": one_table(versions=(FIRST, Version(2, delta=Gone()))),
    "D11": Scenario((), (List(),), backups=(BackupName("5.tar.gz", "empty"),)),
    "D15": Scenario((SOUND,), (Restore(1),), in_place=(InPlace("registry/users.dict", "folder"),)),
    "D16": Scenario((SOUND,), (Restore(1),), users=b"code|\nx|bob|1\n3|system|1700000000\n"),
    "D17": one_table(in_place=(InPlace(".lock", "dangling-outside"),)),
}
"""By the defect, a scenario whose outcome it changes."""


def compared(a: Party, b: Party, scenario: Scenario) -> Tally:
    tally = Tally()
    with built(scenario, "a", "b") as (base_a, base_b):
        Comparison(a.on(base_a, scenario), b.on(base_b, scenario), tally).play(scenario)
    return tally


def searched(a: Party, b: Party, fuzzing: Fuzzing, kept: Path) -> Tally:
    """What a hunt that must find nothing has compared."""
    tallies = []

    def campaign(one: Implementation, other: Implementation) -> None:
        hunt = Hunt(Party(one, a.mended), Party(other, b.mended), kept)
        hunt.run(fuzzing, share=0)
        tallies.append(hunt.tally)

    run_campaign(a.implementation, campaign, b.implementation)
    return tallies[0]


def test_the_port_is_at_parity_with_itself_over_the_protocol(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    port, itself = party("python-last"), party(served(None, tmp_path / "copy"))
    tally = searched(port, itself, Fuzzing(examples=150, seed=2), tmp_path / "kept")
    assert tally.scenarios >= 150
    assert tally.calls > 200
    assert not tally.accepted


@pytest.mark.campaign
def test_two_thousand_databases_show_no_difference(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    port, itself = party("python-last"), party(served(None, tmp_path / "copy"))
    tally = searched(port, itself, Fuzzing(examples=2000, seed=3), tmp_path / "kept")
    assert tally.scenarios >= 2000
    assert not tally.accepted


@pytest.fixture
def _told_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws what the baseline's document says something about: of all else an imitation is none."""
    drawn = scenarios().filter(is_told)
    monkeypatch.setattr(pytest_reedbackup.parity.hunt, "scenarios", lambda: drawn)


@pytest.mark.usefixtures("_told_only")
def test_the_port_differs_from_the_baseline_in_declared_defects_only(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    port, baseline = party("python-last"), party(BASELINE, NOTHING)
    tally = searched(port, baseline, Fuzzing(examples=300, seed=4), tmp_path / "kept")
    assert {"D9", "D10", "D11", "D15", "D16"} <= tally.accepted.keys()


@pytest.mark.campaign
@pytest.mark.usefixtures("_told_only")
def test_two_thousand_databases_show_the_declared_defects_only(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    port, baseline = party("python-last"), party(BASELINE, NOTHING)
    tally = searched(port, baseline, Fuzzing(examples=2000, seed=5), tmp_path / "kept")
    assert set(SHAPES) <= tally.accepted.keys()


@pytest.mark.parametrize("defect", SHAPES)
def test_a_defect_of_one_side_is_a_difference_unless_the_other_declares_it(
    defect: str, party: Callable[..., Party]
) -> None:
    baseline, scenario = party(BASELINE, NOTHING), SHAPES[defect]
    assert defect in compared(party("python-last"), baseline, scenario).accepted
    assert defect in compared(baseline, party("python-last"), scenario).accepted
    with pytest.raises(Difference):
        compared(party("python-last", PORT - {defect}), baseline, scenario)


@pytest.mark.parametrize("defect", SHAPES)
def test_who_declares_a_defect_must_do_the_safe_thing(
    defect: str, party: Callable[..., Party]
) -> None:
    with pytest.raises(Difference):
        compared(party("python-last"), party(BASELINE, frozenset({defect})), SHAPES[defect])


@pytest.mark.parametrize("defect", SHAPES)
def test_what_both_sides_do_is_no_difference(defect: str, party: Callable[..., Party]) -> None:
    for option, mended in (("python-last", PORT), (BASELINE, NOTHING)):
        one, other = party(option, mended), party(option, mended)
        assert not compared(one, other, SHAPES[defect]).accepted


@pytest.mark.parametrize("meddler", EXPECTED, ids=lambda meddler: meddler.__name__)
def test_whatever_else_one_side_does_is_a_difference(
    meddler: type[Meddler], party: Callable[..., Party]
) -> None:
    a, b = party(f"parity.meddlers:{meddler.__name__}"), party("python-last")
    scenario = Scenario((SOUND,), (Restore(1), Create()))
    with pytest.raises(Difference) as raised:
        compared(a, b, scenario)
    difference = raised.value
    told = [line for lines in difference.a.values() for line in lines]
    assert any(EXPECTED[meddler] in line for line in told), told
    assert difference.lines(difference.a) != difference.lines(difference.b)


# What the port does where the baseline would write through a symlink: it restores all the same.
PAST_A_LINK = one_table(Restore(1), in_place=(InPlace("current.new.tmp", "link-outside"),))


@pytest.mark.parametrize("meddler", BESIDE_A_RESTORE, ids=lambda meddler: meddler.__name__)
def test_a_declared_defect_hides_nothing_else_in_the_same_table(
    meddler: type[Meddler], party: Callable[..., Party]
) -> None:
    baseline = party(BASELINE, NOTHING)
    assert "D17" in compared(party("python-last"), baseline, PAST_A_LINK).accepted
    with pytest.raises(Difference):
        compared(party(f"parity.meddlers:{meddler.__name__}"), baseline, PAST_A_LINK)


def test_what_is_written_through_a_symlink_is_seen_outside_the_base(
    party: Callable[..., Party],
) -> None:
    with pytest.raises(Difference) as raised:
        compared(party(BASELINE, NOTHING), party("python-last", PORT - {"D17"}), PAST_A_LINK)
    assert "changed: outside/0: other content" in raised.value.a[OUTSIDE][0]
    assert raised.value.b[OUTSIDE] == ("as before",)


@pytest.mark.parametrize("hold", ["a-moment", "throughout"])
def test_a_lock_is_held_by_others_during_the_call(hold: Any, party: Callable[..., Party]) -> None:
    for option, mended in (("python-last", PORT), (BASELINE, NOTHING)):
        (facts,) = observed(party(option, mended), one_table(Restore(1), lock=hold))
        is_error = facts["table text"][0].startswith('error IoError {"operation": "acquire_write')
        assert is_error == (hold == "throughout")
        if hold == "throughout":
            break  # 4.6 s each


@pytest.mark.parametrize("what", get_args(What))
@pytest.mark.parametrize("path", ["1.bsdiff", "version.log", "current.csv", ""])
def test_whatever_is_in_a_files_place_can_be_told_in_words(path: str, what: What) -> None:
    scenario = one_table(in_place=(InPlace(path, what),))
    with built(scenario, "a") as (base,):
        assert scenario_in_words(scenario, base)


def observed(party: Party, scenario: Scenario) -> list[Facts]:
    with built(scenario, "a") as (base,):
        return observe(party.on(base, scenario), scenario)


def test_creates_in_one_second_and_clocks_that_go_back_are_made_so_on_both_sides(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    """The port is told the time; the imitation's clock is moved around it, if that can be."""
    served_baseline = shlex.join(
        ["env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "reedbase_backup", "serve", BASELINE]
    )
    port, baseline = party("python-last"), party(served_baseline, NOTHING)
    if not baseline.implementation.clock.is_settable:
        pytest.skip("needs libfaketime")
    scenario = Scenario((SOUND,), (Create(), Create(), Create(at=-60), List()))
    assert compared(port, baseline, scenario).accepted["D4"] == 1
    with pytest.raises(Difference) as raised:
        compared(party("python-last", PORT - {"D4"}), baseline, scenario)
    assert raised.value.call == 2
    assert raised.value.b[KEPT] == ("the backup of call 1 is overwritten",)


def test_without_clocks_that_can_be_set_no_two_backups_are_of_one_second(
    party: Callable[..., Party],
) -> None:
    baseline = party(BASELINE, NOTHING)
    if baseline.implementation.clock.is_settable:
        pytest.skip("its clock can be set")
    scenario = Scenario((SOUND,), (Create(), Create(at=-5)))
    assert compared(party("python-last"), baseline, scenario).accepted["D4"] == 0


@pytest.mark.parametrize("name", ["a%0Ab", "%FF%FEbytes", "cafe%CC%81", "%1B[31m", "%20"])
def test_odd_names_are_shown_escaped_on_one_line(
    name: str, party: Callable[..., Party], tmp_path: Path
) -> None:
    (mutation,) = (m for m in MUTATIONS if m.name == "written-by-admin")
    slip, port = party(served(mutation, tmp_path / "copy")), party("python-last")
    scenario = Scenario((TableHistory(name, (FIRST, SECOND)),), (Restore(1),))
    with pytest.raises(Difference) as raised:
        compared(slip, port, scenario)
    found = Found(scenario, raised.value, None)
    told = [found.what, *in_words(found, "a", "b")]
    assert all(line.isprintable() for line in told), told
    assert any(line == f"  table {file_name(name)!a}" for line in told), told
    keep(found, tmp_path / "kept", told)
    assert (tmp_path / "kept" / "README.txt").read_text("utf-8").splitlines() == told


def test_what_follows_from_a_glued_line_is_no_difference_either(
    party: Callable[..., Party],
) -> None:
    scenario = one_table(Restore(2), Restore(2), Restore(2**63), log="no-final-newline")
    tally = compared(party("python-last"), party(BASELINE, NOTHING), scenario)
    assert tally.accepted["D7"] == 1
    assert sum(tally.accepted.values()) == 3


@pytest.mark.usefixtures("_told_only")
def test_an_undeclared_defect_is_told_with_its_number(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    undeclared = party("python-last", PORT - {"D7"})
    broken = hunted(undeclared, party(BASELINE, NOTHING), tmp_path / "kept")
    told = "\n".join(broken.__notes__)
    assert "this is just defect D7" in told
    assert "have it declare D7" in told
    assert "glued to the last one" in broken.expected
    assert "glued" not in broken.found


def test_a_difference_is_kept_as_a_folder_and_told_in_words(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    (mutation,) = (m for m in MUTATIONS if m.name == "before-the-target-instead-of-at")
    slip, port = party(served(mutation, tmp_path / "copy")), party("python-last")
    broken = hunted(slip, port, tmp_path / "kept")
    (folder,) = (tmp_path / "kept").iterdir()
    told = "\n".join(broken.__notes__)
    assert f"kept in {folder}" in told
    assert "version.log" in told
    assert "call 1: restore_point_in_time(target_timestamp=1)" in told
    assert "| B: python-last" in told
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


def failing(party: Party, fault: Exception, after: int) -> Party:
    """A party whose adapter raises `fault` from some call on."""
    calls = iter(range(after))
    connection = party.implementation.connection
    call = connection.call

    def fails(method: str, contract: Contract, base: Path, **params: int) -> Answer:
        if next(calls, None) is None:
            raise fault
        return call(method, contract, base, **params)

    connection.call = fails  # type: ignore[method-assign]
    return party


def test_a_recording_that_lacks_a_call_ends_the_hunt_before_it_has_found_something(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    a, b = party("python-last"), party("python-last")
    failing(b, NotRecorded("no such call"), after=20)
    with pytest.raises(NotRecorded):
        searched(a, b, Fuzzing(examples=50), tmp_path / "kept")


@pytest.mark.usefixtures("_told_only")
def test_what_a_recording_lacks_is_passed_over_while_shrinking(
    party: Callable[..., Party], tmp_path: Path
) -> None:
    """All that is tried after the first difference; so that one is what is told."""
    undeclared, b = party("python-last", PORT - {"D10"}), party(BASELINE, NOTHING)
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
        broken = hunted(undeclared, b, tmp_path / "kept")
    passed_over = {scenario.digest for scenario in tried} - known
    assert 0 < len(passed_over) <= 600
    assert "this is just defect D10" in "\n".join(broken.__notes__)
    (folder,) = (tmp_path / "kept").iterdir()
    assert Scenario.decoded((folder / "scenario.json").read_bytes()) == found[0]


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_fault_of_either_adapter_is_no_difference(
    side: str, party: Callable[..., Party], tmp_path: Path
) -> None:
    a, b = party("python-last"), party(BASELINE, NOTHING)
    failing(a if side == "a" else b, Crashed("it ended"), after=20)
    with pytest.raises(Crashed) as crashed:
        searched(a, b, Fuzzing(examples=50), tmp_path / "kept")
    assert ("the baseline" in str(crashed.value)) == (side == "b")
    assert not (tmp_path / "kept").exists()
