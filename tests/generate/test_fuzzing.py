"""Generated histories: the same each time, a share for each worker, mutants caught by them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from fixture_types import RunSuite
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.generate.campaign import Fuzzing
from pytest_reedbackup.generate.hypothesis_internals import draws_from_seed_alone
from pytest_reedbackup.generate.ticket.histories import History, histories
from pytest_reedbackup.generate.ticket.machine import backup_machine
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.outcome import Outcome

PICKS_WRONG = "mutants.restore.picking:FirstOfTheSecond"
HISTORIES = "--reedbackup-case=ticket/restore/pick/fuzz"
# Each is a mutant that only a certain order of calls and changes shows.
SHOWN_BY_THE_MACHINE = (
    PICKS_WRONG,
    "mutants.restore.picking:StrictlyBefore",
    "mutants.restore.restoring:LeavesNewTables",
    "mutants.restore.verifying:NoChecksum",
)
# To shrink what shows it takes 20 s.
LATER = {"mutants.restore.restoring:LeavesNewTables": pytest.mark.campaign}

# A conforming adapter that from its sixth restore on answers nothing any more.
HANGS_LATER = """
import time
from mutants.conforming import Conforming

class HangsLater(Conforming):
    restores = 0

    def restore_point_in_time(self, base_path, target_timestamp):
        self.restores += 1
        if self.restores > 5:
            time.sleep(600)
        return super().restore_point_in_time(base_path, target_timestamp)
"""


def drawn(fuzzing: Fuzzing, share: int = 0) -> list[History]:
    """The histories that one share of a campaign tries, in order."""
    found: list[History] = []

    @fuzzing.seeded(share)
    @fuzzing.settings()
    @given(history=histories)
    def note(history: History) -> None:
        found.append(history)

    note()
    return found


def shrunk(output: str) -> str:
    """The example that a failure shows, and what it says of it."""
    example: str
    (example,) = set(re.findall(r"  at  .*?Failing test case: .*?\n +\)", output, re.DOTALL))
    return example


@pytest.mark.slow
@pytest.mark.usefixtures("tests_for_children")
def test_the_same_seed_shrinks_to_the_same_example_twice(run_suite: RunSuite) -> None:
    options = (HISTORIES, "--reedbackup-seed=3")
    (first, report), (second, again) = (run_suite(PICKS_WRONG, options=options) for _ in range(2))
    assert first.returncode == second.returncode == pytest.ExitCode.TESTS_FAILED
    assert shrunk(first.stdout) == shrunk(second.stdout)
    assert [c.found for c in report.cases] == [c.found for c in again.cases]
    # Two backups at one time are needed, or a clock that went back to before another.
    assert shrunk(first.stdout).count("Chapter(") <= 3
    assert report.cases[0].repeat.endswith("--reedbackup-seed=3 --reedbackup-examples=100")


def test_the_same_seed_draws_the_same_histories_and_another_one_others() -> None:
    ten = Fuzzing(examples=10, seed=1)
    assert drawn(ten) == drawn(ten)
    assert drawn(ten) != drawn(Fuzzing(examples=10, seed=2))


def test_draws_do_not_depend_on_the_code_that_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = ", ".join(f"b'constant {number}'" for number in range(400))
    (tmp_path / "full_of_constants.py").write_text(f"CONSTANTS = ({constants})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("full_of_constants")
    contents = st.binary(max_size=40)  # as generated files have them
    with draws_from_seed_alone():
        assert not any(content.startswith(b"constant ") for content in drawn_of(contents))
    assert any(content.startswith(b"constant ") for content in drawn_of(contents))


def drawn_of(strategy: st.SearchStrategy[bytes]) -> list[bytes]:
    found: list[bytes] = []
    fuzzing = Fuzzing(examples=300)

    @fuzzing.seeded(0)
    @fuzzing.settings()
    @given(content=strategy)
    def note(content: bytes) -> None:
        found.append(content)

    note()
    return found


def test_every_share_draws_a_part_of_its_own() -> None:
    divided = Fuzzing(examples=40, shares=4)
    parts = [drawn(divided, share) for share in range(4)]
    assert [len(part) for part in parts] == [10] * 4
    assert len({repr(part) for part in parts}) == 4
    assert divided.portion(0.5).shares == 4


@pytest.mark.slow
@pytest.mark.usefixtures("tests_for_children")
def test_a_hanging_adapter_ends_its_campaign_with_one_error(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    (tmp_path / "hangs.py").write_text(HANGS_LATER)
    options = ("--reedbackup-case=*/fuzz", "--reedbackup-timeout=4")
    ended, report = run_suite("hangs:HangsLater", options=options)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    outcomes = {case.case_id: case.outcome for case in report.cases}
    assert outcomes["ticket/restore/pick/fuzz"] is Outcome.ERROR
    assert outcomes["ticket/create/retention/fuzz"] is Outcome.PASS
    assert Outcome.FAIL not in outcomes.values()
    assert "--reedbackup-timeout sets another limit" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", [pytest.param(o, marks=LATER.get(o, ())) for o in SHOWN_BY_THE_MACHINE]
)
def test_the_state_machine_catches_mutants(
    option: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("machine")
    templates = Templates(folder / "templates")
    implementation = TicketImplementation(Connection(option, folder), "ticket")
    machine = Fuzzing(examples=200).seeded(0)(backup_machine(implementation, templates))
    with draws_from_seed_alone(), pytest.raises(BrokenPromise):
        run_state_machine_as_test(machine, settings=Fuzzing(examples=200).settings())


def test_the_state_machine_passes_what_conforms(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("machine")
    implementation = TicketImplementation(
        Connection("mutants.conforming:Conforming", folder), "ticket"
    )
    machine = Fuzzing(examples=25).seeded(0)(
        backup_machine(implementation, Templates(folder / "templates"))
    )
    run_state_machine_as_test(machine, settings=Fuzzing(examples=25).settings())
