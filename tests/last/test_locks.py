"""A table's lock: one writer at a time, waited for, and not for ever."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_reedbackup.views.tree import Tree
from reedbase_backup.errors import IoError
from reedbase_backup.last import Table, restore_point_in_time

SECOND = b"key|value\na|2\n"


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path, "text")
    made.init(b"key|value\n", "admin")
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_lock_held_by_another_process_is_waited_for(table: Table) -> None:
    with held(table, 0.2):
        started = time.monotonic()
        table.write(SECOND, "admin")
        assert time.monotonic() - started > 0.1
    assert table.read() == SECOND


def test_a_lock_that_stays_held_times_out_and_changes_nothing(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    before = contents(table.folder)
    with table.lock_path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(IoError) as caught:
            table.write(SECOND, "admin")
    assert caught.value.fields == {
        "operation": "acquire_write_lock",
        "reason": "Failed to acquire lock after 50 attempts:"
        " Resource temporarily unavailable (os error 11)",
    }
    assert len(pauses) == 49
    assert (pauses[0], max(pauses)) == (0.005, 0.1)
    assert contents(table.folder) == before


def test_two_processes_that_write_at_once_lose_no_version(table: Table) -> None:
    program = (
        "import sys\n"
        "from reedbase_backup.last import Table\n"
        "table = Table(sys.argv[1], 'text')\n"
        "for number in range(15): table.write(sys.argv[2].encode() * number, 'admin')\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(table.base_path), letter])
        for letter in "ab"
    ]
    assert [writer.wait(30) for writer in writers] == [0, 0]
    lines = table.log()
    stamps = [line.timestamp for line in lines]
    assert len(lines) == 31
    assert stamps == sorted(set(stamps))
    assert table.rebuild(stamps[-1]) == table.read()


@contextmanager
def held(table: Table, seconds: float) -> Iterator[None]:
    """Another process holds the table's lock for some seconds."""
    program = (
        "import fcntl, sys, time\n"
        "lock = open(sys.argv[1])\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "time.sleep(float(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", program, str(table.lock_path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield


@pytest.mark.parametrize("target", ["current.csv", "nowhere", "../../../outside"])
def test_a_lock_that_is_a_symlink_is_not_followed(table: Table, target: str) -> None:
    table.lock_path.unlink()
    table.lock_path.symlink_to(target)
    before = Tree.read(table.base_path.parent)
    with pytest.raises(IoError) as caught:
        table.write(SECOND, "admin")
    assert caught.value.fields["operation"] == "create_lock_file"
    assert before.differences(Tree.read(table.base_path.parent)) == []


def test_a_lock_that_is_a_folder_is_an_error_as_with_the_baseline(table: Table) -> None:
    table.lock_path.unlink()
    table.lock_path.mkdir()
    with pytest.raises(IoError) as caught:
        table.write(SECOND, "admin")
    assert caught.value.fields == {
        "operation": "create_lock_file",
        "reason": "Is a directory (os error 21)",
    }


def test_a_lock_that_the_system_refuses_is_the_error_of_its_table_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        Table(tmp_path, name).init(b"key|value\n", "admin")
    lock = fcntl.flock

    def refused_once(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refused_once)
    report = restore_point_in_time(tmp_path, 2**64 - 1)
    assert [name for name, _ in report.tables_restored] == ["second"]
    ((name, error),) = report.errors
    assert name == "first"
    assert isinstance(error, IoError)
