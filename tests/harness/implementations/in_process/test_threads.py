"""An implementation in process, called from a thread of a user's test."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

import pytest
from harness.implementations.in_process.inline import list_by

from pytest_reedbackup.implementations.answers import refusal_of, value_of
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut

T = TypeVar("T")


def in_a_thread(function: Callable[[], T]) -> T:
    """What `function` returns or raises in a thread that is not the main one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(function).result(timeout=20)


def test_a_call_may_be_made_in_any_thread() -> None:
    assert value_of(in_a_thread(lambda: list_by(list)), "the list") == []


def test_a_hang_in_a_thread_is_given_up_in_time() -> None:
    def pause() -> list[object]:
        time.sleep(1)
        return []

    started = time.monotonic()
    with pytest.raises(TimedOut, match=r"within 0.1 s; the call was left alone in a thread"):
        in_a_thread(lambda: list_by(pause, 0.1))
    assert 0.1 <= time.monotonic() - started < 0.9


def test_what_an_implementation_does_in_a_thread_is_what_it_does_elsewhere() -> None:
    def ends() -> None:
        raise SystemExit(3)

    def fails() -> None:
        raise FileNotFoundError(2, "nothing there", "x")

    with pytest.raises(Crashed, match="called exit with status 3"):
        in_a_thread(lambda: list_by(ends))
    elsewhere = refusal_of(list_by(fails), "the list")
    assert refusal_of(in_a_thread(lambda: list_by(fails)), "the list").kind == elsewhere.kind


def test_a_call_in_a_thread_sees_what_the_caller_has_in_its_context() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody's")
    seen = []

    def look() -> list[object]:
        seen.append(variable.get())
        return []

    def call() -> None:
        variable.set("the caller's")
        list_by(look)

    in_a_thread(call)
    assert seen == ["the caller's"]
