"""A Python implementation in this very process: interrupted, refusing, noisy, exiting."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import NoReturn

import pytest
from harness.implementations.calls import BASE
from harness.implementations.in_process.inline import inline_client, list_by

from pytest_reedbackup.implementations import in_process
from pytest_reedbackup.implementations.answers import Refused, value_of
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut
from pytest_reedbackup.model.failures import UnfitValue
from reedbase_backup.errors import BackupNotFound


def hang() -> NoReturn:
    while True:
        time.sleep(10)


def test_a_hang_is_interrupted_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut, match=r"no answer within 0.1 s; the call was interrupted"):
        list_by(hang, 0.1)
    assert 0.1 <= time.monotonic() - started < 1


def test_an_endless_loop_is_interrupted_too() -> None:
    def spin() -> None:
        while True:
            pass

    with pytest.raises(TimedOut):
        list_by(spin, 0.1)


def test_an_interruption_lets_the_implementation_clean_up() -> None:
    cleaned = []

    def hang_and_clean() -> None:
        try:
            hang()
        finally:
            time.sleep(0.05)
            cleaned.append("finally")

    with pytest.raises(TimedOut):
        list_by(hang_and_clean, 0.1)
    assert cleaned == ["finally"]


def test_handlers_of_exceptions_let_an_interruption_pass() -> None:
    def stubborn() -> None:
        while True:
            try:
                hang()
            except Exception:  # noqa: BLE001 - as implementations do
                continue

    with pytest.raises(TimedOut):
        list_by(stubborn, 0.1)


def test_an_interruption_that_is_swallowed_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "_AGAIN_SECS", 0.1)
    swallowed: list[str] = []

    def more_stubborn() -> None:
        while True:
            try:
                hang()
            except BaseException:
                if len(swallowed) == 3:
                    raise
                swallowed.append("once")

    with pytest.raises(TimedOut):
        list_by(more_stubborn, 0.1)
    assert len(swallowed) == 3


def test_an_answer_after_a_swallowed_interruption_is_too_late() -> None:
    def late() -> list[object]:
        try:
            hang()
        except BaseException:  # noqa: BLE001 - as implementations should not
            return []

    with pytest.raises(TimedOut):
        list_by(late, 0.1)


def outer(number: int, frame: FrameType | None) -> None:
    raise AssertionError("the alarm of somebody else rang")


@pytest.fixture
def others_alarm() -> Iterator[None]:
    """Somebody else's handler and timer, as pytest-timeout has."""
    previous = signal.signal(signal.SIGALRM, outer)
    signal.setitimer(signal.ITIMER_REAL, 30.0, 7.0)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("function", [hang, list, lambda: 1 / 0], ids=["hang", "value", "error"])
def test_whoever_else_waits_for_the_alarm_gets_it_back(
    others_alarm: None, function: Callable[[], object]
) -> None:
    started = time.monotonic()
    try:
        list_by(function, 0.2)
    except TimedOut:
        assert function is hang
    spent = time.monotonic() - started
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert signal.getsignal(signal.SIGALRM) is outer
    assert 29.0 - spent <= left <= 30.0 - spent + 0.1
    assert interval == 7.0


def test_an_alarm_that_came_due_meanwhile_rings_afterwards() -> None:
    rang = []

    def pause() -> list[object]:
        time.sleep(0.15)
        return []

    previous = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        list_by(pause)
        time.sleep(0.05)
        assert rang == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_no_timer_is_left_where_there_was_none() -> None:
    list_by(list)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_call_to_exit_is_a_crash() -> None:
    with pytest.raises(Crashed, match=r"called exit with status 3") as caught:
        list_by(lambda: sys.exit(3))
    assert caught.value.call == "list_backups(base_path='/somewhere/.reed')"


def test_control_c_reaches_pytest() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list_by(interrupted)


class OldNews(Exception):
    pass


class Detailed(Exception):
    def __init__(self) -> None:
        super().__init__("too old")
        self.target = 2**64 - 1
        self.path = Path("/somewhere/5.tar.gz")
        self._private = "not passed on"


@dataclass
class Described(Exception):
    kind = "BackupNotFound"
    target: int


@pytest.mark.parametrize(
    ("error", "kind", "fields", "message"),
    [
        (BackupNotFound(target=4, oldest=9), "BackupNotFound", {"target": 4, "oldest": 9}, None),
        (KeyError("text"), "KeyError", {}, "'text'"),
        (OldNews("too old"), "OldNews", {}, "too old"),
        (OldNews(), "OldNews", {}, "OldNews"),
        (
            Detailed(),
            "Detailed",
            {"target": 2**64 - 1, "path": "/somewhere/5.tar.gz"},
            "too old",
        ),
        (Described(4), "BackupNotFound", {"target": 4}, None),
        (OldNews("a name \udcff"), "OldNews", {}, "a name \\udcff"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_any_exception_is_a_refusal_with_its_kind_and_fields(
    error: Exception, kind: str, fields: dict[str, object], message: str | None
) -> None:
    def refuse() -> None:
        raise error

    answer = list_by(refuse)
    assert isinstance(answer, Refused)
    assert (answer.kind, answer.fields) == (kind, fields)
    assert answer.message == (str(error) if message is None else message)


def test_an_exception_that_is_no_reed_error_goes_into_the_log_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    list_by(lambda: 1 / 0)
    logged = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in logged
    assert "Traceback" in logged


def test_what_the_implementation_prints_is_no_reply(capsys: pytest.CaptureFixture[str]) -> None:
    assert value_of(list_by(lambda: print("Compiling…") or []), "the list") == []
    assert capsys.readouterr().out == "Compiling…\n"


@pytest.mark.parametrize("value", [2**64, 2**100, -1, float("nan"), 1.0, True, None, b"5"], ids=str)
def test_a_figure_out_of_range_is_an_unfit_value(value: bytes | float | int | None) -> None:
    fields = {"id": "5", "timestamp": 5, "table_count": 2, "compression": "gzip"}
    with pytest.raises(UnfitValue, match=r"\[0\]\.size_bytes"):
        list_by(lambda: [SimpleNamespace(size_bytes=value, **fields)])


def test_arguments_are_the_tickets_by_name() -> None:
    seen = []

    def restore(base_path: str, target_timestamp: int) -> dict[str, int]:
        seen.append((base_path, target_timestamp))
        return {"tables_restored": 1, "total_bytes": 2, "duration_ms": 3}

    answer = inline_client(restore_point_in_time=restore).call(
        "restore_point_in_time", "ticket", BASE, 10.0, target_timestamp=2**64 - 1
    )
    assert seen == [("/somewhere/.reed", 2**64 - 1)]
    assert value_of(answer, "the restore").duration_ms == 3


def test_only_who_has_the_capability_gets_the_time() -> None:
    without = inline_client(create_backup=lambda **arguments: arguments)
    with pytest.raises(Exception, match=r"code -32602 \(create_backup: `now_ns`"):
        without.call("create_backup", "ticket", BASE, 10.0, now_ns=5)


def test_shutdown_ends_nothing_but_the_conversation() -> None:
    conversation = inline_client()
    conversation.shutdown(1.0)
    answer = conversation.call("list_backups", "ticket", BASE, 1.0)
    assert value_of(answer, "the list") == []
