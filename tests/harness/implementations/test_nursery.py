"""Processes forked ahead outlive nobody who asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

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


LOADED = """
import sys
from pytest_reedbackup.implementations.nursery import _load_ahead

_load_ahead(sys.argv[1])
print(*(name in sys.modules for name in ("reedbase_backup.restore", "mine")))
"""


@pytest.mark.parametrize(
    ("implementation", "loaded"), [("python", "True False"), ("mine:Mine", "False False")]
)
def test_only_an_implementation_of_this_project_is_loaded_before_its_processes_are_forked(
    implementation: str, loaded: str, tmp_path: Path
) -> None:
    """Of any other, what it has as it is loaded may not be shared by two processes."""
    (tmp_path / "mine.py").write_text("from reedbase_backup.restore import *\n")
    command = [sys.executable, "-c", LOADED, implementation]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == loaded
