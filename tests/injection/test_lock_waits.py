"""Who waits for whose lock: told by the system, so that a mere pause is no wait."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.injection.traced.halting import until_done_or_waiting
from pytest_reedbackup.injection.traced.lock_waits import waits_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it needs Linux's list of locks")

_LOCKS = "import fcntl, sys, time; f = open(sys.argv[1]); print(1, flush=True)\n"
HOLDS = f"{_LOCKS}fcntl.flock(f, fcntl.LOCK_EX); print(2, flush=True); time.sleep(60)"
WAITS_IN_A_THREAD = f"""{_LOCKS}
import threading
threading.Thread(target=fcntl.flock, args=(f, fcntl.LOCK_EX), daemon=True).start()
time.sleep(60)"""
PAUSES = f"{_LOCKS}time.sleep(60)"
ENOUGH_SECS = 30.0

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a program on a file in a session of its own, until it has said so many lines."""
    file = tmp_path / "lock"
    file.touch()
    with ExitStack() as running:

        def started(program: str, lines: int) -> int:
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", program, str(file)],
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                )
            )
            running.callback(process.kill)
            assert process.stdout
            for _ in range(lines):
                process.stdout.readline()
            return process.pid

        yield started


def test_who_waits_for_a_lock_is_known_and_for_whom(run: Run) -> None:
    holder = run(HOLDS, 2)
    waiter, bystander = run(WAITS_IN_A_THREAD, 1), run(PAUSES, 1)
    until = time.monotonic() + ENOUGH_SECS
    while not waits_for(waiter, holder):
        assert time.monotonic() < until
    assert not waits_for(holder, waiter)
    assert not waits_for(bystander, holder)
    assert not waits_for(waiter, bystander)


def test_a_call_that_waits_for_the_lock_is_left_at_once(run: Run) -> None:
    holder, waiter = run(HOLDS, 2), run(WAITS_IN_A_THREAD, 1)
    assert _took_secs(waiter, holder, call_secs=20.0, patience_secs=10.0) < 5.0


def test_a_call_that_only_pauses_is_waited_for(run: Run) -> None:
    holder, pausing = run(HOLDS, 2), run(PAUSES, 1)
    assert _took_secs(pausing, holder, call_secs=0.3, patience_secs=10.0) >= 0.3
    assert _took_secs(pausing, holder, call_secs=0.6, patience_secs=0.2) < 0.6


def _took_secs(waiting: int, holding: int, *, call_secs: float, patience_secs: float) -> float:
    """Return how long a call of such a length is waited for."""
    pool = ThreadPoolExecutor(1)

    def call() -> Answered:
        ended.wait(call_secs)
        return Answered(None, 0)

    ended = threading.Event()
    began = time.monotonic()
    until_done_or_waiting(pool.submit(call), waiting, holding, patience_secs)
    took_secs = time.monotonic() - began
    ended.set()
    pool.shutdown()
    return took_secs
