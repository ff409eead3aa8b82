"""Waiting for processors that others have: told apart from an implementation's own time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from fixture_types import RunSuite

from pytest_reedbackup.checks import waiting
from pytest_reedbackup.checks.waiting import Processors, begins_beside, ends_beside
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.session.beside.process import OtherProcess

WORKED_S = 0.2
# Says who it is, and computes until it is ended.
BUSY = "import os; print(os.getpid(), flush=True)\nwhile True: pass"
# It ends at once, so who computes is nobody of this run's.
ORPHANING = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}])"

# How long its own work takes, by its own clock, and what the case comes to.
OWN_WORK_S = {0.08: Outcome.UNDECIDED, 0.3: Outcome.FAIL}
WORKING = """
import time
from reedbase_backup.adapter.loading import load

class Working:
    capabilities = ("clock",)

    def __init__(self):
        self.__dict__.update(load("python").functions)
        original = self.create_backup

        def create_backup(base_path, **clock):
            ends = time.thread_time() + {work_s}
            while time.thread_time() < ends:
                pass
            return original(base_path, **clock)

        self.create_backup = create_backup
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells who waits")


@contextmanager
def others_at_work() -> Iterator[None]:
    """Has four programs of others' compute on each processor."""
    with ExitStack() as programs:
        for _ in range(4 * (os.cpu_count() or 1)):
            command = [sys.executable, "-c", ORPHANING]
            parent = programs.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            assert parent.stdout is not None
            programs.callback(os.kill, int(parent.stdout.readline()), signal.SIGKILL)
        yield


def test_time_that_others_had_the_processors_is_waiting() -> None:
    def waited_at_work_ns() -> int:
        before = Processors.so_far()
        ends = time.monotonic() + WORKED_S
        while time.monotonic() < ends:
            pass
        return before.waited_since()

    with others_at_work():
        assert max(waited_at_work_ns() for _ in range(3)) > WORKED_S * 10**9 / 2


def test_sleep_is_an_implementations_own_time() -> None:
    def waited_asleep_ns() -> int:
        before = Processors.so_far()
        time.sleep(WORKED_S)
        return before.waited_since()

    assert min(waited_asleep_ns() for _ in range(5)) < WORKED_S * 10**9 / 4


def test_who_waits_for_threads_of_its_own_waits_for_no_more_than_others_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = Processors(all_taken=1000, own_taken=900, own_waited=700)
    monkeypatch.setattr(Processors, "so_far", classmethod(lambda _: now))
    assert Processors(all_taken=0, own_taken=0, own_waited=0).waited_since() == 100
    # Of one clock that is finer than the other.
    assert Processors(all_taken=150, own_taken=0, own_waited=0).waited_since() == 0


@pytest.mark.slow
@pytest.mark.parametrize("work_s", OWN_WORK_S)
def test_who_is_too_slow_only_while_others_work_is_not_called_broken(
    work_s: float, tmp_path: Path, run_suite: RunSuite
) -> None:
    (tmp_path / "mine.py").write_text(WORKING.format(work_s=work_s))
    options = ["--reedbackup-case=ticket/bounds/create-10k"]
    with others_at_work():
        _, report = run_suite("mine:Working", options=options)
    (case,) = report.cases
    assert case.outcome is OWN_WORK_S[work_s], case.detail
    assert ("other programs had" in case.detail) is (case.outcome is Outcome.UNDECIDED)


def _waits_in_two_seconds() -> float:
    before = Processors.so_far()
    time.sleep(2)  # that long it may wait for a turn, and only then is told that it has
    return before.waited_since() / 10**9


def test_what_does_other_work_of_the_run_is_no_implementation_that_waits() -> None:
    """As what builds a database for later, of the lowest priority, waits for all others."""
    last = [sys.executable, "-c", f"import os; os.nice(19)\n{BUSY}"]
    with others_at_work(), subprocess.Popen(last, stdout=subprocess.PIPE) as builder:
        assert builder.stdout is not None
        builder.stdout.readline()
        begins_beside(builder.pid)
        beside = _waits_in_two_seconds()
        ends_beside(builder.pid)
        below = _waits_in_two_seconds()
        builder.kill()
    assert beside < 0.3 < below


def test_each_process_beside_is_known_as_one_while_it_is_there() -> None:
    other = OtherProcess([])
    pids = set(waiting._beside)
    other.close()
    assert len(pids) == 1
    assert not waiting._beside
