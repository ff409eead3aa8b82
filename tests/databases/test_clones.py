"""What a run's databases leave on the disk: nothing after it, and not too much during it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness.waiting import ends_within

from pytest_reedbackup.databases import clones
from pytest_reedbackup.databases.clones import Clones

TWO = """
def test_one(reedbackup_db):
    (reedbackup_db / "tables").chmod(0o500)

def test_two(reedbackup_db):
    raise ValueError
"""


def test_no_database_outlives_a_run_however_its_tests_end(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(TWO)
    temporary = tmp_path / "temporary"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "test_theirs.py", f"--basetemp={temporary}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in ended.stdout
    assert list(temporary.iterdir()) == []


def usage(of: Path) -> SimpleNamespace:
    """Return how full a disk of a megabyte is that holds just this."""
    taken = sum(path.stat().st_size for path in of.rglob("file"))
    return SimpleNamespace(free=1_000_000 - taken)


def test_what_would_fill_the_disk_is_removed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the real disk, others take what they want meanwhile.
    monkeypatch.setattr(clones, "_MOST_BYTES", 100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(tmp_path))
    of_a_run = Clones(tmp_path)
    first, second = of_a_run.new_folder(), of_a_run.new_folder()
    for folder in (first, second):
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"x" * 60_000)
        of_a_run.done_with(folder)
    assert kept(tmp_path, first)
    assert not kept(tmp_path, second)
    (tmp_path / "done" / first.name / "deep" / "file").unlink()
    third = of_a_run.new_folder()
    of_a_run.done_with(third)
    assert kept(tmp_path, third)
    of_a_run.remove()
    assert not tmp_path.exists()


def kept(within: Path, folder: Path) -> list[Path]:
    return list(within.rglob(folder.name))


def test_what_is_done_with_can_be_removed_before_the_run_ends(tmp_path: Path) -> None:
    databases = tmp_path / "databases"
    databases.mkdir()
    of_a_run = Clones(databases)
    folders = [of_a_run.new_folder() for _ in range(40)]
    for folder in folders:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
    for folder in folders[:20]:
        of_a_run.done_with(folder)
    of_a_run.begin_to_remove()
    assert ends_within(10, lambda: not any((databases / "done").iterdir()))
    assert all((folder / "deep" / "file").exists() for folder in folders[20:])
    of_a_run.done_with(folders[20])
    of_a_run.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_others_remove_meanwhile_ends_no_run(tmp_path: Path) -> None:
    # As a process does that was given up in the middle of a call.
    databases = tmp_path / "databases"
    for number in range(1_000):
        (databases / str(number) / "deep").mkdir(parents=True)
        (databases / str(number) / "file").touch()
    of_a_run = Clones(databases)
    with ThreadPoolExecutor(3) as pool:
        removals = [pool.submit(of_a_run.remove) for _ in range(2)]
        removals.append(pool.submit(of_a_run.done_with, databases))
        for removal in removals:
            removal.result()
    assert not databases.exists()
