"""Processes forked ahead outlive nobody who asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WHO_IS_KILLED = """
import os, signal, sys, tempfile
from pytest_reedbackup.implementations.nursery import Nursery

forked = Nursery({}).fork("python", tempfile.TemporaryFile())
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
    deadline = time.monotonic() + 10
    while is_running(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            pytest.fail("it still runs, or stands still")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        status = Path("/proc", str(pid), "stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
