"""An implementation in process, called from a thread of a user's test."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut

from .test_in_process import lists


def in_a_thread(function):
    """What `function` returns or raises in a thread that is not the main one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(function).result(timeout=20)


def test_a_call_may_be_made_in_any_thread() -> None:
    assert in_a_thread(lambda: lists(list)).value == []


def test_a_hang_in_a_thread_is_given_up_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(TimedOut, match=r"within 0.1 s; the call was left alone in a thread"):
        in_a_thread(lambda: lists(lambda: time.sleep(1) or [], 0.1))
    assert 0.1 <= time.monotonic() - started < 0.9


def test_what_an_implementation_does_in_a_thread_is_what_it_does_elsewhere() -> None:
    def ends() -> None:
        raise SystemExit(3)

    def fails() -> None:
        raise FileNotFoundError(2, "nothing there", "x")

    with pytest.raises(Crashed, match="called exit with status 3"):
        in_a_thread(lambda: lists(ends))
    assert in_a_thread(lambda: lists(fails)).kind == lists(fails).kind


def test_a_call_in_a_thread_sees_what_the_caller_has_in_its_context() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody's")
    seen = []

    def look() -> list[object]:
        seen.append(variable.get())
        return []

    def call() -> None:
        variable.set("the caller's")
        lists(look)

    in_a_thread(call)
    assert seen == ["the caller's"]
