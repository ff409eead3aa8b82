"""An implementation that reads every clock, served and in this process."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.implementations.clocks.watching import LIMITS, ConnectTo

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.clocks.faketime import FakeTimeClock

# Reads every clock and sleeps, as implementations do; `at` is what the time module says.
WATCH = """
import datetime, os, threading, time

class Watch:
    name = "watch"

    def create_backup(self, base_path):
        started, at = time.monotonic(), int(time.time())
        assert abs(datetime.datetime.now().timestamp() - at) < 5
        if os.path.basename(base_path) == "hang":
            time.sleep(60)
        time.sleep(0.02)
        slept = time.monotonic() - started
        assert 0.02 <= slept < 5, slept
        return {"id": f"{at}", "timestamp": at, "size_bytes": os.getpid(),
                "table_count": int(slept), "compression": "gzip"}

    def list_backups(self, base_path):
        entry = os.stat(base_path)
        return [{"id": "", "timestamp": int(entry.st_mtime), "size_bytes": 0,
                 "table_count": 0, "compression": ""}]

    def restore_point_in_time(self, base_path, target_timestamp):
        time.sleep(1 - time.time() % 1)
        return {"tables_restored": 0, "total_bytes": 0, "duration_ms": int(time.time())}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module `watch` is."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "watch.py").write_text(WATCH)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> str:
    """The command line that serves it."""
    serve = [sys.executable, "-m", "reedbase_backup", "serve", "watch:Watch"]
    return shlex.join(["env", f"PYTHONPATH={folder}", *serve])


@pytest.fixture(scope="module")
def connect_to(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectTo]:
    """Connects to an implementation, with a scratch folder of its own."""
    connections: list[Connection] = []

    def make(option: str) -> Connection:
        connections.append(Connection(option, tmp_path_factory.mktemp("scratch"), LIMITS))
        return connections[-1]

    yield make
    for implementation in connections:
        implementation.close()


@pytest.fixture(scope="module")
def _watch(library: Path, connect_to: ConnectTo, served: str) -> Connection:
    return connect_to(served)


@pytest.fixture
def watch(_watch: Connection) -> Connection:
    """One process for all tests, its clock at the real time."""
    assert isinstance(_watch.clock, FakeTimeClock)
    _watch.clock.reset()
    _watch.limits = LIMITS
    return _watch


@pytest.fixture
def inside(connect_to: ConnectTo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return connect_to("watch:Watch")
