"""`reedbackup serve` as a process: what it reads, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pytest
from harness.implementations.serving.speaking import RESTORE, params, request

from reedbase_backup.adapter.protocol import MAX_LINE_BYTES
from reedbase_backup.types import U64_MAX

SERVE = [sys.executable, "-m", "reedbase_backup", "serve"]


class Conversation:
    """A process that serves, spoken to line by line."""

    def __init__(self, *name: str, cwd: Path) -> None:
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        self.process = subprocess.Popen(
            [*SERVE, *name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=buffered,
        )
        # A reply that does not come must not keep the test.
        self.end_of_patience = threading.Timer(30, self.process.kill)
        self.end_of_patience.start()

    def say(self, line: bytes) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, method: str, **params: object) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.say(json.dumps(request).encode())

    def end(self) -> tuple[bytes, bytes, int]:
        """Closes stdin; what came after the last reply, the log, and the exit status."""
        out, log = self.process.communicate(timeout=10)
        return out, log, self.process.returncode


class Converse(Protocol):
    """Starts `reedbackup serve`, by default without a name."""

    def __call__(self, *name: str) -> Conversation: ...


@pytest.fixture
def converse(tmp_path: Path) -> Iterator[Converse]:
    """Starts `reedbackup serve` in the test's folder."""
    started: list[Conversation] = []

    def start(*name: str) -> Conversation:
        started.append(Conversation(*name, cwd=tmp_path))
        return started[-1]

    yield start
    for conversation in started:
        conversation.end_of_patience.cancel()
        conversation.process.kill()
        conversation.process.communicate()


def test_the_reference_speaks_every_method_over_stdio(converse: Converse, base: Path) -> None:
    talk = converse()
    assert talk.ask("hello", protocol=1) == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {
            "protocol": 1,
            "name": "python",
            "version": version("pytest-reedbackup"),
            "language": "Python",
            "contracts": ["ticket"],
            "capabilities": ["clock"],
        },
    }
    where = {"contract": "ticket", "base_path": str(base)}
    made = talk.ask("create_backup", **where, now_ns=1_700_000_000_500_000_000)["result"]
    assert set(made) == {"value", "elapsed_ns"}
    assert 0 < made["elapsed_ns"] < 10**10
    size = (base / "backups" / f"{made['value']['id']}.tar.gz").stat().st_size
    assert made["value"] == {
        "id": made["value"]["id"],
        "timestamp": 1_700_000_000,
        "size_bytes": size,
        "table_count": 2,
        "compression": "gzip",
    }
    assert talk.ask("list_backups", **where)["result"]["value"] == [made["value"]]
    restored = talk.ask("restore_point_in_time", **where, target_timestamp=U64_MAX)["result"]
    assert restored["value"]["tables_restored"] == 2
    assert set(restored["value"]) == {"tables_restored", "total_bytes", "duration_ms"}
    refused = talk.ask("restore_point_in_time", **where, target_timestamp=0)["error"]
    assert refused["code"] == -32000
    assert refused["data"] == {
        "kind": "BackupNotFound",
        "fields": {"target": 0, "oldest": 1_700_000_000},
        "elapsed_ns": refused["data"]["elapsed_ns"],
    }
    assert talk.ask("shutdown") == {"jsonrpc": "2.0", "id": 1, "result": {"value": None}}
    assert talk.process.wait(10) == 0
    assert talk.end() == (b"", b"", 0)


def test_a_process_ends_when_stdin_closes(converse: Converse) -> None:
    talk = converse()
    talk.ask("hello", protocol=1)
    assert talk.end() == (b"", b"", 0)


def test_the_port_of_the_baseline_is_served_by_name(converse: Converse) -> None:
    hello = converse("python-last").ask("hello", protocol=1)["result"]
    assert (hello["name"], hello["contracts"]) == ("python-last", ["last"])


def test_a_line_may_be_64_mib_long_and_no_longer(converse: Converse) -> None:
    talk = converse()
    line = json.dumps(request("hello", params={"protocol": 1})).encode()
    assert "result" in talk.say(line.ljust(MAX_LINE_BYTES))
    refused = talk.say(line.ljust(MAX_LINE_BYTES + 1))
    assert (refused["id"], refused["error"]["code"]) == (None, -32700)
    assert refused["error"]["message"] == "a line of more than 64 MiB"
    assert "result" in talk.say(line)


NOISY = """
import os, subprocess, sys
print("imported")
os.system("echo by a child while it was imported")

class Noisy:
    def __init__(self):
        print("made")
    def create_backup(self, base_path):
        print("a prompt:", input("sure? "))
    def list_backups(self, base_path):
        print("listing", flush=True)
        subprocess.run(["sh", "-c", "cat; echo by a child; echo to stderr >&2"], check=True)
        os.write(1, b"straight to descriptor 1\\n")
        return []
    def restore_point_in_time(self, base_path, target_timestamp):
        print("not flushed")
        os._exit(9)
"""


def test_nothing_that_an_implementation_prints_gets_among_the_replies(
    converse: Converse, tmp_path: Path
) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    talk = converse("noisy:Noisy")
    assert talk.ask("hello", protocol=1)["result"]["name"] == "noisy:Noisy"
    where = {"contract": "ticket", "base_path": "/x"}
    assert talk.ask("list_backups", **where)["result"]["value"] == []
    out, log, status = talk.end()
    assert (out, status) == (b"", 0)
    for words in (
        b"imported",
        b"by a child while it was imported",
        b"made",
        b"listing",
        b"by a child",
        b"to stderr",
        b"straight to descriptor 1",
    ):
        assert words + b"\n" in log


def test_an_implementation_cannot_read_the_harnesss_requests(
    converse: Converse, tmp_path: Path
) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    talk = converse("noisy:Noisy")
    where = {"contract": "ticket", "base_path": "/x"}
    assert talk.ask("create_backup", **where)["error"]["data"]["kind"] == "EOFError"
    assert talk.ask("list_backups", **where)["result"]["value"] == []


def test_what_was_printed_before_a_crash_is_in_the_log(converse: Converse, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    talk = converse("noisy:Noisy")
    line = json.dumps(params(RESTORE, target_timestamp=1)).encode() + b"\n"
    out, log = talk.process.communicate(line, timeout=10)
    assert (out, talk.process.returncode) == (b"", 9)
    assert log.endswith(b"not flushed\n")


def test_a_value_of_another_shape_is_said_to_be_unfit_and_logged(
    converse: Converse, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(
        "class Odd:\n"
        "    def create_backup(self, base_path): return {'id': 5, 'timestamp': 2**70}\n"
        "    def list_backups(self, base_path): return (item for item in [])\n"
        "    def restore_point_in_time(self, base_path, target_timestamp): return object\n"
    )
    talk = converse("odd:Odd")
    where = {"contract": "ticket", "base_path": "/x"}
    error = talk.ask("create_backup", **where)["error"]
    found = "an integer of 71 bits, more than a u64 has"
    assert error["code"] == -32000
    assert error["data"].pop("elapsed_ns") >= 0
    assert error["data"] == {
        "kind": "UnfitValue",
        "fields": {"field": "timestamp", "found": found},
    }
    assert error["message"] == f"what create_backup returned cannot be sent: timestamp is {found}"
    assert error["message"].encode() in talk.end()[1]


def test_a_name_that_leads_nowhere_fails_with_words_on_stderr(converse: Converse) -> None:
    out, log, status = converse("no_such_module:Thing").end()
    assert out == b""
    assert status != 0
    assert b"'no_such_module:Thing' cannot be loaded: ModuleNotFoundError" in log


def test_without_a_stdin_it_fails_with_words_on_stderr() -> None:
    command = [sys.executable, "-m", "reedbase_backup", "serve"]
    script = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    ended = subprocess.run(script, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("reedbackup: serve: stdin or stdout is closed; ")
    assert ended.stderr.count("\n") == 1
