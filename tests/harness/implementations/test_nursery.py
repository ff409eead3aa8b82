"""Processes forked ahead outlive nobody who asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from harness.waiting import ends_within, is_dead

WHO_IS_KILLED = """
import os, signal, sys, tempfile
from pytest_reedbackup.implementations.nursery import Nursery

forked = Nursery("python", {}).fork(tempfile.TemporaryFile())
if sys.argv[1] == "halted":
    os.kill(forked.pid, signal.SIGSTOP)
print(forked.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open, of Linux")
@pytest.mark.parametrize("state", ["halted", "waiting"])
def test_they_end_when_who_asked_for_them_is_killed(state: str) -> None:
    command = [sys.executable, "-c", WHO_IS_KILLED, state]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        pid = int(asking.stdout.readline())
    assert asking.returncode == -signal.SIGKILL
    is_over = ends_within(10.0, partial(is_dead, pid))
    if not is_over:
        os.kill(pid, signal.SIGKILL)
    assert is_over
