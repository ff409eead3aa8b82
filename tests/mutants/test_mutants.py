"""Every mutant is caught by the rule that it breaks; what conforms passes.

`cd tests && python -m mutants` prints the mutants as a table. Here the suite's cases are
those of the rule and some before it; `pytest -m campaign tests/mutants/test_mutants.py`
runs all of them against all.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fixture_types import Once

from mutants.catalogue import (
    Held,
    Mutant,
    broken_adapters,
    conforming,
    durable,
    first_failure,
    hold,
    mutants,
    unusable_adapters,
)
from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.adapter_faults import Unusable
from pytest_reedbackup.model.case import Kind
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.session.connecting import RUN_ON

MUTANTS = list(mutants())
BROKEN = list(broken_adapters())
UNUSABLE = list(unusable_adapters())

# Of conforming ones, these are held against the suite in every run.
MOST_DIFFERENT = (
    "mutants.variants.archives:Pax",
    "mutants.variants.ids:HexadecimalIds",
    "mutants.variants.archives:OwnMembers",
)
# What takes seconds each, and what is about the machine as much as the implementation.
SLOW = (
    *("create/hot", "create/concurrent", "restore/atomic"),
    *("bounds/create-10k", "bounds/restore-10k", "bounds/ratio"),
)
# It waits for hundreds of real seconds.
WAITS = "mutants.variants.ids:WaitsForTheNextSecond"

# Some hang. What answers does so within a second, or when it has waited 5 s for a lock.
PATIENCE_SECS = 15

# A restore among calls that are answered well.
AROUND_A_RESTORE = (
    "ticket/create/archive",
    "ticket/restore/exact-tree",
    "ticket/surface/types/create_backup",
    "ticket/surface/types/list_backups",
)

HoldOnce = Callable[..., Held]
"""Takes a name, and then what `hold` takes."""

QUICK = [mutant for mutant in MUTANTS if not mutant.is_slow]


@pytest.fixture(scope="session")
def held_once(once: Once) -> HoldOnce:
    """What comes of holding implementations against the suite, which is done once."""

    def held(name: str, *arguments: Any, **options: Any) -> Held:
        def write(folder: Path) -> None:
            content = msgspec.json.encode(hold(*arguments, **options))
            (folder / "held.json").write_bytes(content)

        content = (once(name, write) / "held.json").read_bytes()
        return msgspec.json.decode(content, type=dict[str, list[CaseOutcome]])

    return held


@pytest.fixture(scope="session")
def mutants_held(held_once: HoldOnce) -> Held:
    options = [mutant.option for mutant in QUICK]
    patience = f"--reedbackup-timeout={PATIENCE_SECS}"
    return held_once("mutants", options, "-p", "mutants.selection", patience)


@pytest.fixture(scope="session")
def mutants_held_to_the_whole(held_once: HoldOnce) -> Held:
    options = [mutant.option for mutant in MUTANTS]
    return held_once("whole", options, "-p", "mutants.selection", "--mutants-whole")


@pytest.fixture(scope="session")
def broken_held(held_once: HoldOnce) -> Held:
    options = [mutant.option for mutant in BROKEN]
    cases = [f"--reedbackup-case={case}" for case in AROUND_A_RESTORE]
    # In one process (-s): what some do after a reply, the next call meets.
    arguments = ["--reedbackup-timeout=3", RUN_ON, "-s", *cases]
    return held_once("broken", options, *arguments, processes=4)


@pytest.fixture(scope="session")
def conforming_held(held_once: HoldOnce) -> Held:
    arguments = [*_all_but_slow(), "-k", "not fuzz", "--reedbackup-faults=off"]
    return held_once("conforming", MOST_DIFFERENT, *arguments, processes=3)


@pytest.fixture(scope="session")
def all_conforming_held(held_once: HoldOnce) -> Held:
    return held_once("all-conforming", [option for option in conforming() if option != WAITS])


@pytest.mark.slow
@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught_and_first_by_the_rule_that_it_breaks(
    mutant: Mutant, mutants_held: Held
) -> None:
    _expect_caught(mutant, mutants_held)


@pytest.mark.campaign
@pytest.mark.parametrize(
    "mutant",
    [mutant for mutant in MUTANTS if mutant.breaks != "surface/types"],
    ids=lambda mutant: mutant.name,
)
def test_no_case_of_another_rule_fails_before(
    mutant: Mutant, mutants_held_to_the_whole: Held
) -> None:
    _expect_caught(mutant, mutants_held_to_the_whole)


def test_every_rule_has_a_mutant_that_breaks_it() -> None:
    # A ratio needs a baseline; it has tests of its own.
    assert {mutant.breaks for mutant in MUTANTS} == RULES["ticket"].keys() - {"bounds/ratio"}


@pytest.mark.parametrize("mutant", MUTANTS + BROKEN + UNUSABLE, ids=lambda mutant: mutant.name)
def test_every_mutation_is_said_in_a_line(mutant: Mutant) -> None:
    assert mutant.mutation.strip().endswith((".", "…"))
    assert "\n" not in mutant.mutation


@pytest.mark.slow
@pytest.mark.parametrize("mutant", BROKEN, ids=lambda mutant: mutant.name)
def test_a_broken_adapter_costs_one_error_and_no_more(mutant: Mutant, broken_held: Held) -> None:
    outcomes = Counter(outcome.outcome for outcome in broken_held[mutant.option])
    assert outcomes == {Outcome.PASS: len(AROUND_A_RESTORE) - 1, Outcome.ERROR: 1}


@pytest.mark.parametrize("mutant", UNUSABLE, ids=lambda mutant: mutant.name)
def test_an_adapter_that_says_no_hello_is_refused_with_the_cause(
    mutant: Mutant, tmp_path: Path, tests_for_children: None
) -> None:
    implementation = Connection(mutant.option, tmp_path, TimeLimits(hello=4))
    with pytest.raises(Unusable, match=f"(?s)hello.*{mutant.breaks}"):
        implementation.hello  # noqa: B018 - asking for it is what starts it


def test_with_an_unusable_adapter_a_run_is_a_usage_error_in_one_line(
    tmp_path: Path, tests_for_children: None
) -> None:
    silent = next(mutant.option for mutant in UNUSABLE if mutant.name == "greetings:SaysNothing")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", f"--reedbackup-impl={silent}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "--reedbackup-impl" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("option", MOST_DIFFERENT)
def test_a_conforming_implementation_passes(option: str, conforming_held: Held) -> None:
    _expect_no_alarm(conforming_held[option])


@pytest.mark.campaign
@pytest.mark.parametrize("option", [option for option in conforming() if option != WAITS])
def test_every_conforming_implementation_passes_everything(
    option: str, all_conforming_held: Held
) -> None:
    _expect_no_alarm(all_conforming_held[option])


@pytest.mark.campaign
def test_an_implementation_that_waits_for_seconds_passes_everything() -> None:
    _expect_no_alarm(hold([WAITS])[WAITS])


@pytest.fixture(scope="session")
def durable_held(held_once: HoldOnce) -> Held:
    return held_once("durable", durable(), *_SWEPT)


@pytest.mark.campaign  # half a minute each
@pytest.mark.parametrize("option", durable())
def test_a_durable_implementation_is_not_accused_by_a_sample_of_the_sweeps(
    option: str, durable_held: Held
) -> None:
    _expect_not_accused(durable_held[option])


@pytest.mark.campaign
@pytest.mark.parametrize("turn", range(1, 11))
def test_no_durable_implementation_is_accused_by_whole_sweeps_ten_times_in_a_row(
    turn: int,
) -> None:
    held = hold(durable(), "--reedbackup-faults=full", *_SWEPT)
    for option in durable():
        _expect_not_accused(held[option])


def _expect_not_accused(outcomes: Sequence[CaseOutcome]) -> None:
    accused = [
        f"{outcome.case_id}: {outcome.detail}: {outcome.found}"
        for outcome in outcomes
        if outcome.outcome in (Outcome.FAIL, Outcome.ERROR)
    ]
    assert accused == []
    assert any(outcome.outcome is Outcome.PASS for outcome in outcomes)


_SWEPT = [
    f"--reedbackup-case=ticket/{function}/{promise}*"
    for function in ("create", "restore")
    for promise in ("durable", "power-cut", "failing-call")
] + ["--reedbackup-case=ticket/restore/atomic*"]


def _all_but_slow() -> list[str]:
    return [f"--reedbackup-case=ticket/{rule}*" for rule in RULES["ticket"] if rule not in SLOW]


def _expect_caught(mutant: Mutant, held: Held) -> None:
    failure = first_failure(held[mutant.option])
    assert failure is not None, f"nothing says that {mutant.mutation}"
    assert failure.rule == mutant.breaks, f"{failure.case_id}: {failure.detail}: {failure.found}"


def _expect_no_alarm(outcomes: Sequence[CaseOutcome]) -> None:
    alarms = [
        f"{outcome.case_id}: {outcome.detail}: {outcome.expected}: {outcome.found}"
        for outcome in outcomes
        if outcome.outcome not in (Outcome.PASS, Outcome.SKIP) and not _is_left_out(outcome)
    ]
    assert alarms == []
    assert sum(outcome.outcome is Outcome.PASS for outcome in outcomes) > 100


def _is_left_out(outcome: CaseOutcome) -> bool:
    """Whether it is a fuzzing case that `-k "not fuzz"` left out."""
    return outcome.outcome is Outcome.NOT_CHECKED and outcome.kind is Kind.FUZZING
