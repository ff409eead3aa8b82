"""Tiny adapters, a clean slate around them, and pytest runs in folders of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.fixture_types import RunPytest, StartClient, WriteAdapter

from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.clocks.faketime import find_libfaketime

PREAMBLE = """
import json, os, signal, subprocess, sys, time

HELLO = {
    "protocol": 1, "name": "tiny", "version": "1", "language": "Python",
    "contracts": ["ticket"], "capabilities": [],
}

def read():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)

def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def result(request, result):
    return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\\n"

def called(request, value, elapsed_ns=1):
    return result(request, {"value": value, "elapsed_ns": elapsed_ns})

def greet():
    write(result(read(), HELLO))

def serve(answers):
    while True:
        request = read()
        write(result(request, HELLO) if request["method"] == "hello" else answers(request))
        if request["method"] == "shutdown":
            sys.exit(0)

def ended(request):
    return result(request, {"value": None})

"""


@pytest.fixture
def adapter(tmp_path: Path) -> WriteAdapter:
    """Writes an adapter in Python after the preamble above; returns its command."""

    def write(body: str) -> list[str]:
        script = tmp_path / "adapter.py"
        script.write_text(PREAMBLE + body)
        return [sys.executable, "-S", "-E", str(script)]

    return write


@pytest.fixture
def connect(adapter: WriteAdapter) -> Iterator[StartClient]:
    """Starts such an adapter; it is ended after the test."""
    clients: list[Client] = []

    def start(body: str) -> Client:
        clients.append(Client(ChildProcess(adapter(body))))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    """Neither a descriptor nor a child, a zombie included, more than before."""
    before = _descriptors(), _children()
    yield
    assert (_descriptors(), _children()) == before


def _descriptors() -> list[str]:
    shown = []
    for entry in sorted(os.listdir("/proc/self/fd")):
        try:
            shown.append(f"{entry} {os.readlink(f'/proc/self/fd/{entry}')}")
        except FileNotFoundError:  # the listing's own
            continue
    return shown


def _children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


@pytest.fixture(scope="session")
def library() -> Path:
    """libfaketime; skips where it is missing, unless tools are required."""
    found = find_libfaketime()
    if found is None:
        reason = "libfaketime is not installed (Debian's package `faketime`)"
        assert os.environ.get("REEDBACKUP_REQUIRE_TOOLS") != "1", reason
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def run_pytest() -> RunPytest:
    """Runs pytest in a folder, as a user does who has this package installed."""

    def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        }
        environment |= {"COLUMNS": "200", **variables}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run
