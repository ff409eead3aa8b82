"""A recording that is played back gives the outcomes of the run that it was made in."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from recording.fixture_types import OutcomesOf

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.recording.file import read_recording

pytestmark = pytest.mark.slow

BASELINE = "tests.last.baseline.imitation:Baseline"
SERVED = f"'{sys.executable}' -m reedbase_backup serve python"
# A few of every kind: what changes files, what only looks, what depends on the clock, what fails.
SHORT = {
    "python-last": (
        "last/create/[ao]*",
        "last/create/tar*",
        "last/list/n*",
        "last/restore/[ioe]*",
        "last/restore/pick/fuzz",
    ),
    BASELINE: ("last/create/[ot]*", "last/list/[no]*", "last/restore/le*", "last/surface/*"),
    "python": (
        "ticket/create/[cns]*-*",
        "ticket/restore/hostile*",
        "ticket/restore/pick/fuzz",
        "ticket/restore/atomic",
        "ticket/surface/*",
        "ticket/bounds/create-10k",
    ),
    SERVED: ("ticket/create/clock*", "ticket/list/[eo]*", "ticket/restore/h*", "ticket/surface/*"),
}
NEEDS = {"a process", "Python functions", "this machine's time"}
# Inode numbers, and where a run had its files.
OF_A_RUN = re.compile(r"(/[\w.-]+)+/reedbackup[^ '\"]*|\b\d{5,}\b")


def alike(recorded: list[CaseOutcome], replayed: list[CaseOutcome]) -> list[str]:
    """How the outcomes of a replay differ, but for what no recording can show."""
    found = {case.case_id: case for case in replayed}
    assert found.keys() == {case.case_id for case in recorded}
    differences = []
    for case in recorded:
        again = found[case.case_id]
        if again.outcome is Outcome.SKIP and again.missing in NEEDS:
            continue
        if _told(case) != _told(again):
            differences.append(f"{case.case_id}: {_told(case)} recorded, {_told(again)} replayed")
    return differences


def _told(case: CaseOutcome) -> tuple[str, ...]:
    texts = (case.expected, case.found, case.divergence, case.defect, case.missing)
    return case.outcome, *(OF_A_RUN.sub("…", text) for text in texts)


def recorded_and_replayed(
    outcomes_of: OutcomesOf, recording: Path, implementation: str, *options: str
) -> tuple[list[CaseOutcome], list[CaseOutcome]]:
    record = [f"--reedbackup-impl={implementation}", f"--reedbackup-record={recording}"]
    ended, recorded = outcomes_of(*record, *options)
    assert recording.exists(), ended.stdout + ended.stderr
    _, replayed = outcomes_of(f"--reedbackup-impl=replay:{recording}", *_without_workers(options))
    return recorded, replayed


def _without_workers(options: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(option for option in options if not option.startswith("-n"))


@pytest.mark.parametrize("implementation", SHORT)
def test_a_replay_has_the_recorded_outcomes(
    outcomes_of: OutcomesOf, tmp_path: Path, implementation: str
) -> None:
    cases = [f"--reedbackup-case={case}" for case in SHORT[implementation]]
    # Workers make one of them: each starts anew, which costs more than most of these cases.
    workers = ("-n2",) if implementation == "python-last" else ()
    options = (*workers, "--reedbackup-examples=10", *cases)
    recording = tmp_path / "the.recording"
    recorded, replayed = recorded_and_replayed(outcomes_of, recording, implementation, *options)
    assert len(recorded) > 25
    assert alike(recorded, replayed) == []
    assert sum(case.outcome is Outcome.SKIP for case in replayed) < len(replayed) / 2


@pytest.mark.campaign
@pytest.mark.parametrize("implementation", SHORT)
def test_a_replay_of_the_whole_suite_has_the_recorded_outcomes(
    outcomes_of: OutcomesOf, tmp_path: Path, implementation: str
) -> None:
    recording = tmp_path / "the.recording"
    recorded, replayed = recorded_and_replayed(outcomes_of, recording, implementation)
    assert len(recorded) > 170
    assert alike(recorded, replayed) == []
    skipped = {case.missing for case in replayed if case.outcome is Outcome.SKIP}
    assert skipped <= NEEDS | {case.missing for case in recorded}


def test_a_campaign_that_workers_shared_is_replayed_by_one_process(
    outcomes_of: OutcomesOf, tmp_path: Path
) -> None:
    recording = tmp_path / "the.recording"
    options = ("-n2", "--reedbackup-case=ticket/restore/pick/fuzz", "--reedbackup-examples=8")
    recorded, replayed = recorded_and_replayed(outcomes_of, recording, "python", *options)
    assert read_recording(recording).header.shares == 2
    assert [case.outcome for case in replayed] == [Outcome.PASS]
    assert alike(recorded, replayed) == []


def test_both_contracts_of_an_implementation_are_recorded(
    outcomes_of: OutcomesOf, tmp_path: Path
) -> None:
    recording = tmp_path / "the.recording"
    options = (
        "--reedbackup-contract=ticket",
        "--reedbackup-contract=last",
        "--reedbackup-case=*/list/empty*",
        "--reedbackup-case=*/create/info",
    )
    recorded, replayed = recorded_and_replayed(outcomes_of, recording, "python-last", *options)
    assert {case.contract for case in recorded} == {"ticket", "last"}
    assert alike(recorded, replayed) == []


def test_where_tar_failed_at_random_the_replay_fails_as_often(
    outcomes_of: OutcomesOf, tmp_path: Path
) -> None:
    recording = tmp_path / "the.recording"
    options = ("--reedbackup-case=last/create/own-backups*", "--reedbackup-case=last/create/k*")
    recorded, replayed = recorded_and_replayed(outcomes_of, recording, BASELINE, *options)
    assert {case.outcome for case in recorded} == {Outcome.PASS}
    assert alike(recorded, replayed) == []
