"""Folders for a while: gone after it, and after their maker's end, whatever ended it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_reedbackup.injection import scratch as scratches
from pytest_reedbackup.injection.mounts import mount_points
from pytest_reedbackup.injection.scratch import scratch

HOLDS_A_MOUNT = """
import sys, time
from pytest_reedbackup.injection.mounts import file_system_in_memory
from pytest_reedbackup.injection.scratch import scratch
with scratch() as folder, file_system_in_memory(folder / "place") as place:
    (place / "file").touch()
    print(folder, flush=True)
    time.sleep(60)
"""


def later() -> None:
    """Be a process that begins when no folder is new any more."""
    scratches._remove_abandoned.cache_clear()
    with scratch():
        pass


@pytest.fixture(autouse=True)
def _place_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratches, "memory", lambda: tmp_path)
    monkeypatch.setattr(scratches, "_NEW_SECS", 0.0)


def test_a_folder_is_gone_after_its_time(tmp_path: Path) -> None:
    with scratch() as folder:
        (folder / "closed").mkdir(mode=0o500)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_holds_stays(tmp_path: Path) -> None:
    with scratch() as folder:
        time.sleep(0.01)
        later()
        assert folder.exists()


def test_a_new_folder_may_be_about_to_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratches, "_NEW_SECS", 60.0)
    new = tmp_path / "reedbackup-scratch-new"
    new.mkdir()
    later()
    assert new.exists()


def test_what_is_no_scratch_folder_stays(tmp_path: Path) -> None:
    other = tmp_path / "reedbackup-other"
    other.mkdir()
    planted = tmp_path / "reedbackup-scratch-planted"
    planted.symlink_to(other)
    (tmp_path / "reedbackup-scratch-file").touch()
    later()
    assert other.exists()
    assert planted.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_the_next_process_unmounts_and_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    code = HOLDS_A_MOUNT.replace("import sys, time", f"import sys, time\n{_IN.format(tmp_path)}")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        folder = Path(held.stdout.readline().strip())
        assert str(folder / "place") in mount_points()
        later()
        assert str(folder / "place") in mount_points()
        held.send_signal(signal.SIGKILL)
    later()
    assert str(folder / "place") not in mount_points()
    assert list(tmp_path.iterdir()) == []


_IN = """
from pathlib import Path
from pytest_reedbackup.injection import scratch as scratches
scratches.memory = lambda: Path("{}")
"""
