"""`replay:FILE` as an implementation: by its name, as a baseline, changed, and where it ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recording.fixture_types import EditIndex, Index, OutcomesOf, RunPytest

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome

pytestmark = pytest.mark.slow

CASES = (
    "--reedbackup-case=last/create/info*",
    "--reedbackup-case=last/create/missing-base",
    "--reedbackup-case=last/restore/one-error*",
    "--reedbackup-case=last/restore/in-place/no-sync",
    "--reedbackup-case=last/list/order",
)


@pytest.fixture(scope="module")
def recording(run_pytest: RunPytest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few cases of the port of the baseline."""
    path = tmp_path_factory.mktemp("recording") / "last.recording"
    ended = run_pytest("--reedbackup-impl=python-last", f"--reedbackup-record={path}", *CASES)
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"recorded \d+ calls of \d+ cases in .*play them back by", ended.stdout)
    return path


def by_id(outcomes: list[CaseOutcome]) -> dict[str, CaseOutcome]:
    return {case.case_id: case for case in outcomes}


def test_a_replay_goes_by_the_recorded_name_and_says_what_it_is(
    outcomes_of: OutcomesOf, recording: Path
) -> None:
    ended, found = outcomes_of(f"--reedbackup-impl=replay:{recording}", *CASES)
    assert ended.returncode == 0, ended.stdout
    assert "conforms with declared divergences" in ended.stdout
    assert re.search(
        r"  python-last .*; clock: the adapter's capability `clock`; a replay, recorded 20\d\d-",
        ended.stdout,
    )
    # By the name of the implementation that was recorded.
    assert by_id(found)["last/create/missing-base"].outcome is Outcome.DIVERGES


def test_what_needs_a_process_is_skipped_for_want_of_one(
    outcomes_of: OutcomesOf, recording: Path
) -> None:
    _, found = outcomes_of(f"--reedbackup-impl=replay:{recording}", *CASES)
    case = by_id(found)["last/restore/in-place/no-sync"]
    assert (case.outcome, case.missing) == (Outcome.SKIP, "a process")
    assert "can be neither killed nor traced" in case.detail


def test_a_replayed_baseline_gives_no_times(outcomes_of: OutcomesOf, recording: Path) -> None:
    ended, found = outcomes_of(
        "--reedbackup-impl=python",
        f"--reedbackup-baseline=replay:{recording}",
        "--reedbackup-case=ticket/bounds/ratio/create-bulk",
        "--reedbackup-case=ticket/create/info",
    )
    assert by_id(found)["ticket/bounds/ratio/create-bulk"].missing == "this machine's time"
    assert by_id(found)["ticket/create/info"].outcome is Outcome.PASS
    assert ended.returncode == 0


def test_a_recording_with_one_answer_changed_breaks_just_that_promise(
    outcomes_of: OutcomesOf, recording: Path, edited: EditIndex
) -> None:
    def change(index: Index) -> None:
        (call,) = index["cases"]["last/create/info"]["calls"]
        call["reply"]["result"]["value"]["size_bytes"] += 1

    copy = edited(recording, change)
    _, found = outcomes_of(f"--reedbackup-impl=replay:{copy}", *CASES)
    broken = [case.case_id for case in found if case.outcome in (Outcome.FAIL, Outcome.ERROR)]
    assert broken == ["last/create/info"]
    assert by_id(found)["last/create/info"].detail == "size_bytes"


def test_a_recording_with_one_change_on_disk_left_out_breaks_just_that_promise(
    outcomes_of: OutcomesOf, recording: Path, edited: EditIndex
) -> None:
    def change(index: Index) -> None:
        (call,) = index["cases"]["last/restore/one-error"]["calls"]
        call["changes"] = [c for c in call["changes"] if not c["path"].endswith("version.log")]

    copy = edited(recording, change)
    _, found = outcomes_of(f"--reedbackup-impl=replay:{copy}", *CASES)
    broken = [case.case_id for case in found if case.outcome in (Outcome.FAIL, Outcome.ERROR)]
    assert broken == ["last/restore/one-error"]


def test_a_case_that_is_not_in_the_recording_is_an_error_that_says_what_to_do(
    outcomes_of: OutcomesOf, recording: Path
) -> None:
    ended, (case,) = outcomes_of(
        f"--reedbackup-impl=replay:{recording}", "--reedbackup-case=last/create/source-untouched"
    )
    assert ended.returncode == 1
    assert case.outcome is Outcome.ERROR
    assert "the recording of 'python-last' does not have this case" in case.detail
    assert "--reedbackup-seed=0 --reedbackup-examples=100" in case.detail
    assert "--reedbackup-record=FILE" in case.detail


def test_another_seed_is_not_in_the_recording(
    outcomes_of: OutcomesOf, run_pytest: RunPytest, tmp_path: Path
) -> None:
    recording = tmp_path / "the.recording"
    fuzz = ("--reedbackup-case=ticket/restore/pick/fuzz", "--reedbackup-examples=6")
    run_pytest("--reedbackup-impl=python", f"--reedbackup-record={recording}", *fuzz)
    replay = (f"--reedbackup-impl=replay:{recording}", *fuzz)
    assert outcomes_of(*replay)[1][0].outcome is Outcome.PASS
    _, (case,) = outcomes_of(*replay, "--reedbackup-seed=7")
    assert case.outcome is Outcome.ERROR
    assert "does not have this call on this state of the database" in case.detail
    assert "with --reedbackup-seed=0 --reedbackup-examples=12" not in case.detail


def test_what_was_skipped_when_it_was_recorded_is_skipped_for_the_same(
    outcomes_of: OutcomesOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = tmp_path / "the.recording"
    case = "--reedbackup-case=last/create/archive/far-away"
    # A child process whose clock nothing moves.
    monkeypatch.setenv("REEDBACKUP_LIBFAKETIME", str(tmp_path / "missing.so"))
    adapter = f"{sys.executable} -m reedbase_backup serve tests.last.baseline.imitation:Baseline"
    _, (then,) = outcomes_of(
        f"--reedbackup-impl={adapter}", f"--reedbackup-record={recording}", case
    )
    assert "libfaketime" in then.missing_sentence
    monkeypatch.delenv("REEDBACKUP_LIBFAKETIME")
    _, (found,) = outcomes_of(f"--reedbackup-impl=replay:{recording}", case)
    assert (found.outcome, found.missing) == (Outcome.SKIP, "clock")
    assert found.missing_sentence == f"{then.missing_sentence} (when it was recorded)"
    assert found.detail == f"needs clock: {found.missing_sentence}"
    assert found.missing_tool


# Usage -----------------------------------------------------------------------


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def damaged(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 0xFF]) + content[101:]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "no whole recording"),
        (damaged, "no whole recording"),
        (lambda content: b"no zip at all", "no whole recording"),
        (lambda content: b"", "no whole recording"),
    ],
    ids=["cut", "damaged", "foreign", "empty"],
)
def test_a_file_that_is_not_whole_is_a_usage_error(
    run_pytest: RunPytest,
    recording: Path,
    tmp_path: Path,
    harm: Callable[[bytes], bytes],
    words: str,
) -> None:
    path = tmp_path / "harmed.recording"
    path.write_bytes(harm(recording.read_bytes()))
    ended = run_pytest(f"--reedbackup-impl=replay:{path}")
    expect_usage_error(ended, "--reedbackup-impl: ", str(path), words)


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("format", "a report", "is no recording but 'a report'"),
        ("version", 2, "of format 2, and this kit reads format 1; update the kit"),
        ("version", 0, "record it again"),
        ("hello", {"name": "x"}, "is no recording: "),
        ("umask", 0o077, "recorded under umask 077"),
    ],
)
def test_a_recording_that_cannot_be_played_here_is_a_usage_error(
    run_pytest: RunPytest,
    recording: Path,
    edited: EditIndex,
    member: str,
    value: dict[str, str] | int | str,
    words: str,
) -> None:
    copy = edited(recording, lambda index: index["header"].update({member: value}))
    ended = run_pytest(f"--reedbackup-impl=replay:{copy}")
    expect_usage_error(ended, "--reedbackup-impl: ", words)


def test_a_recording_that_is_not_there_is_a_usage_error(run_pytest: RunPytest) -> None:
    expect_usage_error(
        run_pytest("--reedbackup-impl=replay:none.recording"), "there is no file none"
    )
    expect_usage_error(run_pytest("--reedbackup-impl=replay:"), "it names no file")
    ended = run_pytest("--reedbackup-impl=python", "--reedbackup-baseline=replay:none.recording")
    expect_usage_error(ended, "--reedbackup-baseline: ", "there is no file none")


def test_recordings_need_exactly_one_implementation_that_runs(
    run_pytest: RunPytest, recording: Path, tmp_path: Path
) -> None:
    record = f"--reedbackup-record={tmp_path / 'new.recording'}"
    two = ("--reedbackup-impl=python", "--reedbackup-impl=python-last")
    expect_usage_error(run_pytest(record, *two), "give exactly one --reedbackup-impl")
    again = run_pytest(record, f"--reedbackup-impl=replay:{recording}")
    expect_usage_error(again, "a recording cannot be recorded again")
    own = tmp_path / "test_own.py"
    own.write_text("def test_own(reedbackup): pass\n")
    expect_usage_error(run_pytest(record, two[0], str(own)), "give no paths")
    alone = run_pytest(record)
    expect_usage_error(alone, "give --reedbackup-impl=IMPL too")
    assert not list(tmp_path.glob("new.recording*"))


def test_a_place_that_cannot_be_written_to_is_a_usage_error(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = run_pytest(
        "--reedbackup-impl=python", f"--reedbackup-record={tmp_path}/file/the.recording"
    )
    expect_usage_error(ended, "--reedbackup-record: cannot write")


def expect_usage_error(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR, ended.stdout + ended.stderr
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("ERROR: ")]
    for word in words:
        assert word in line
