"""Calls that a recording holds: found by case, question and state, in their order, faults too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.implementations.answers import Answered, Refused
from pytest_reedbackup.model.adapter_faults import (
    Crashed,
    NotRecorded,
    TimedOut,
)
from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.failures import MissingCapability, UnfitValue
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.run_record import machine
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.recording.current_case import during
from pytest_reedbackup.recording.file import RecordingWriter
from pytest_reedbackup.recording.format import FORMAT, VERSION, Header, RecordedCase, Recording
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.views.umask import current_umask

CASE = Case("last/parity/fuzz", "Both do the same.")
# Fails every second time that it is asked of a base, and tells its own paths.
MOODY = """
import os, sys, time
from pathlib import Path
from reedbase_backup.errors import IoError
from reedbase_backup.last import BackupInfo, RestoreReport

class Moody:
    name, contracts = "moody", ("last",)
    calls = {}

    def create_backup(self, base_path):
        calls = Moody.calls[base_path] = Moody.calls.get(base_path, 0) + 1
        if calls % 2:
            raise IoError("create", f"not {base_path} today, call {calls}")
        made = Path(base_path) / "backups" / f"{calls}.tar.gz"
        made.parent.mkdir(exist_ok=True)
        made.write_bytes(b"packed")
        time.sleep(0.05)
        return BackupInfo(calls, made, 6, 6 / 1048576)

    def list_backups(self, base_path):
        if Path(base_path).name == "slow":
            time.sleep(60)
        if Path(base_path).name == "exit":
            sys.exit(3)
        return [3] if Path(base_path).name == "wrong" else []

    def restore_point_in_time(self, base_path, target_timestamp):
        return RestoreReport(target_timestamp)
"""
LIMITS = TimeLimits(call=2.0)


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "moody.py").write_text(MOODY)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "moody:Moody"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "around" / ".reed"
    (base / "tables").mkdir(parents=True)
    return base


Played = Callable[[Callable[[LastImplementation], Any]], tuple[Any, LastImplementation]]


@pytest.fixture
def played(moody: str, tmp_path: Path) -> Iterator[Played]:
    """Records what is done with an implementation; gives what came of it, and its replay."""

    def play(act: Callable[[LastImplementation], Any]) -> tuple[Any, LastImplementation]:
        recorder = Recorder()
        connection = Connection(moody, tmp_path, LIMITS, recorder)
        with during(CASE, CASE.id):
            came = act(LastImplementation(connection, "last"))
        record = recorder.hand_over(CASE.id, outcome())
        path = tmp_path / "the.recording"
        writer = RecordingWriter(path)
        for name, content in record["blobs"].items():
            writer.add_blob(name, content)
        case = msgspec.json.decode(record["case"], type=RecordedCase)
        writer.finish(Recording(header(connection), {CASE.id: case}))
        replay = Connection(f"replay:{path}", tmp_path, LIMITS)
        opened.append(replay)
        return came, LastImplementation(replay, "last")

    opened: list[Connection] = []
    yield play
    for replay in opened:
        replay.close()


def outcome() -> CaseOutcome:
    return CaseOutcome(
        case_id=CASE.id,
        rule=CASE.rule,
        promise=CASE.promise,
        implementation="moody:Moody",
        contract="last",
        outcome=Outcome.PASS,
        node_id="",
        repeat="",
        duration_secs=0.0,
    )


def header(connection: Connection) -> Header:
    return Header(
        format=FORMAT,
        version=VERSION,
        kit="0",
        recorded="2026-11-24T20:00:00+00:00",
        machine=machine(),
        implementation=connection.option,
        in_process=True,
        hello=connection.hello,
        contracts=["last"],
        clock=connection.clock.way,
        clock_is_settable=connection.clock.is_settable,
        seed=0,
        examples=100,
        shares=1,
        umask=current_umask(),
    )


def moved(base: Path) -> Path:
    """The same database in another place, as it was before all calls."""
    elsewhere = base.parent.parent / "elsewhere" / base.name
    (elsewhere / "tables").mkdir(parents=True)
    return elsewhere


def test_answers_to_the_same_question_come_in_their_order_and_then_the_last(
    played: Played, base: Path
) -> None:
    came, replay = played(
        lambda implementation: [implementation.create_backup(base) for _ in range(2)]
    )
    elsewhere = moved(base)
    with during(CASE, CASE.id):
        again = [replay.create_backup(elsewhere) for _ in range(2)]
    refused, answered = again
    assert isinstance(refused, Refused)
    assert refused.message == came[0].message.replace(str(base), str(elsewhere))
    assert isinstance(answered, Answered)
    assert answered.value.path == str(elsewhere / "backups" / Path(came[1].value.path).name)
    assert Path(answered.value.path).read_bytes() == b"packed"
    recording = replay.connection.recording
    assert recording is not None
    # Before these two the kit asked whether its clock moves the implementation's.
    error = recording.cases[CASE.id].calls[-2].reply["error"]
    assert error["message"] == came[0].message.replace(str(base), "{base}")
    # Its own time, though no time has passed.
    assert answered.elapsed_ns == came[1].elapsed_ns > 50_000_000


def test_the_last_answer_is_given_again(played: Played, base: Path) -> None:
    _, replay = played(lambda implementation: implementation.restore_point_in_time(base, 7))
    with during(CASE, CASE.id):
        for _ in range(3):
            assert replay.restored(base, 7).target_timestamp == 7


@pytest.mark.parametrize(
    "ask",
    [
        lambda replay, base: replay.restore_point_in_time(base, 8),
        lambda replay, base: replay.list_backups(base),
        lambda replay, base: (base / "new").touch() or replay.restore_point_in_time(base, 7),
    ],
    ids=["another-target", "another-method", "another-state"],
)
def test_what_was_not_asked_then_cannot_be_answered(
    played: Played, base: Path, ask: Callable[[LastImplementation, Path], object]
) -> None:
    _, replay = played(lambda implementation: implementation.restore_point_in_time(base, 7))
    with (
        during(CASE, CASE.id),
        pytest.raises(NotRecorded, match="does not have this call") as found,
    ):
        ask(replay, base)
    assert "record again with this kit" in str(found.value)


def test_another_case_has_nothing_of_it(played: Played, base: Path) -> None:
    _, replay = played(lambda implementation: implementation.list_backups(base))
    other = Case("last/list/order", "In order.")
    with during(other, other.id), pytest.raises(NotRecorded, match="does not have this case"):
        replay.list_backups(base)
    with pytest.raises(NotRecorded, match="does not have this case"):
        replay.list_backups(base)


@pytest.mark.parametrize(
    ("name", "fault"), [("slow", TimedOut), ("exit", Crashed), ("wrong", UnfitValue)]
)
def test_a_fault_happens_again(
    played: Played, base: Path, name: str, fault: type[Exception]
) -> None:
    base = base.rename(base.with_name(name))

    def ask(implementation: LastImplementation) -> Exception:
        with pytest.raises(fault) as found:
            implementation.list_backups(base)
        return found.value

    came, replay = played(ask)
    with during(CASE, CASE.id):
        again = ask(replay)
    assert getattr(came, "message", str(came)) in str(again)


def test_the_clock_says_what_it_said(
    played: Played, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, replay = played(lambda implementation: [implementation.clock.seconds() for _ in range(3)])
    monkeypatch.setattr("time.time", lambda: 5.0)
    replay.clock.reset()
    with during(CASE, CASE.id):
        assert [replay.clock.seconds() for _ in range(3)] == said
        with pytest.raises(NotRecorded, match="not asked 4 times"):
            replay.clock.seconds()
        with pytest.raises(MissingCapability, match="a clock that only waits"):
            replay.clock.set(5)
    assert not replay.clock.is_settable


def test_a_recording_has_neither_functions_nor_a_process(played: Played, base: Path) -> None:
    _, replay = played(lambda implementation: implementation.list_backups(base))
    with pytest.raises(MissingCapability, match="not the functions themselves"):
        _ = replay.connection.functions
    with pytest.raises(MissingCapability, match="neither killed nor traced"):
        _ = replay.connection.command
