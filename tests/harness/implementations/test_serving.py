"""`reedbackup serve` answers to the letter of the adapter protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from reedbase_backup.adapter.loading import load
from reedbase_backup.adapter.protocol import MAX_LINE_BYTES
from reedbase_backup.adapter.serving import Adapter
from reedbase_backup.types import U64_MAX

SERVE = [sys.executable, "-m", "reedbase_backup", "serve"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    build(DatabaseSpec(tables=2, rows=4, indices=1), tmp_path / ".reed")
    return tmp_path / ".reed"


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


@pytest.fixture
def converse(tmp_path: Path) -> Iterator[Any]:
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


def test_the_reference_speaks_every_method_over_stdio(converse: Any, base: Path) -> None:
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


def test_a_process_ends_when_stdin_closes(converse: Any) -> None:
    talk = converse()
    talk.ask("hello", protocol=1)
    assert talk.end() == (b"", b"", 0)


def test_the_port_of_the_baseline_is_served_by_name(converse: Any) -> None:
    hello = converse("python-last").ask("hello", protocol=1)["result"]
    assert (hello["name"], hello["contracts"]) == ("python-last", ["last"])


@pytest.fixture
def adapter() -> Adapter:
    return Adapter(load("python"))


def ask(adapter: Adapter, line: object) -> Any:
    sent = line if isinstance(line, bytes) else json.dumps(line).encode()
    return json.loads(adapter.answer(sent))


def request(method: object = "list_backups", **more: object) -> dict[str, object]:
    params = {"contract": "ticket", "base_path": "/no/such/base"}
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params, **more}


def params(method: str, **more: object) -> dict[str, object]:
    return request(method, params={"contract": "ticket", "base_path": "/no/such/base", **more})


TARGET = "target_timestamp"
RESTORE = "restore_point_in_time"
ERRORS: dict[str, tuple[object, int, object, str]] = {
    "not-json": (b"hello", -32700, None, "not JSON"),
    "empty": (b"", -32700, None, "not JSON"),
    "cut-short": (b'{"jsonrpc": "2.0", "id": 7, "method"', -32700, None, "not JSON"),
    "two-requests": (
        b'{"jsonrpc": "2.0", "id": 7, "method": "hello"} {}',
        -32700,
        None,
        "trailing",
    ),
    "not-utf-8": (
        b'{"jsonrpc": "2.0", "id": 7, "method": "\xff"}',
        -32700,
        None,
        "utf-8",
    ),
    "nested-too-deep": (
        b'{"jsonrpc": "2.0", "id": 7, "params": {"a": ' + b"[" * 99999 + b"]" * 99999 + b"}}",
        -32700,
        None,
        "recursion",
    ),
    "a-batch": ([request()], -32600, None, "got `array`"),
    "no-jsonrpc": ({"id": 7, "method": "hello"}, -32600, None, "jsonrpc"),
    "jsonrpc-1": (request(jsonrpc="1.0"), -32600, None, "jsonrpc"),
    "no-id": ({"jsonrpc": "2.0", "method": "hello"}, -32600, None, "id"),
    "a-null-id": (request(id=None), -32600, None, "got `null`"),
    "a-float-id": (request(id=7.0), -32600, None, "got `float`"),
    "a-boolean-id": (request(id=True), -32600, None, "got `bool`"),
    "an-id-over-u64": (request(id=2**64), -32600, None, "more than 2^64-1"),
    "no-method": ({"jsonrpc": "2.0", "id": 7}, -32600, None, "method"),
    "a-method-that-is-no-text": (request(5), -32600, None, "got `int`"),
    "unknown-field": (request(extra=1), -32600, None, "unknown field `extra`"),
    "params-no-object": (request(params="x"), -32600, None, "got `str`"),
    "unknown-method": (request("drop_backup"), -32601, 7, "no method 'drop_backup'"),
    "a-private-method": (request("__init__"), -32601, 7, "no method '__init__'"),
    "params-by-position": (request(params=["ticket", "/x"]), -32602, 7, "got `array`"),
    "no-params": (request("hello", params={}), -32602, 7, "`protocol`"),
    "params-left-out": ({"jsonrpc": "2.0", "id": 7, "method": "hello"}, -32602, 7, "`protocol`"),
    "another-protocol": (
        request("hello", params={"protocol": 2}),
        -32602,
        7,
        "protocol 2 is not spoken here, only 1",
    ),
    "a-float-protocol": (request("hello", params={"protocol": 1.0}), -32602, 7, "got `float`"),
    "a-boolean-protocol": (request("hello", params={"protocol": True}), -32602, 7, "got `bool`"),
    "unknown-param-of-hello": (
        request("hello", params={"protocol": 1, "extra": 1}),
        -32602,
        7,
        "unknown field `extra`",
    ),
    "unknown-param-of-shutdown": (
        request("shutdown", params={"now": True}),
        -32602,
        7,
        "unknown field `now`",
    ),
    "no-contract": (request(params={"base_path": "/x"}), -32602, 7, "`contract`"),
    "no-base": (request(params={"contract": "ticket"}), -32602, 7, "`base_path`"),
    "another-contract": (params("list_backups", contract="last"), -32602, 7, "contract last"),
    "an-unknown-contract": (params("list_backups", contract="first"), -32602, 7, "'first'"),
    "a-base-that-is-no-text": (params("list_backups", base_path=5), -32602, 7, "got `int`"),
    "unknown-param": (params("list_backups", extra=1), -32602, 7, "unknown field `extra`"),
    "a-time-for-list": (params("list_backups", now_ns=1), -32602, 7, "unknown field `now_ns`"),
    "a-target-for-create": (params("create_backup", **{TARGET: 1}), -32602, 7, TARGET),
    "a-negative-time": (params("create_backup", now_ns=-1), -32602, 7, ">= 0"),
    "a-float-time": (params("create_backup", now_ns=1.0), -32602, 7, "got `float`"),
    "a-null-time": (params("create_backup", now_ns=None), -32602, 7, "got `null`"),
    "a-time-after-u64": (
        params("create_backup", now_ns=2**64 * 10**9),
        -32602,
        7,
        "later than any u64 second",
    ),
    "no-target": (params(RESTORE), -32602, 7, f"`{TARGET}`"),
    "a-negative-target": (params(RESTORE, **{TARGET: -1}), -32602, 7, ">= 0"),
    "a-target-over-u64": (params(RESTORE, **{TARGET: 2**64}), -32602, 7, "more than 2^64-1"),
    "a-float-target": (params(RESTORE, **{TARGET: 5.0}), -32602, 7, "got `float`"),
    "a-boolean-target": (params(RESTORE, **{TARGET: True}), -32602, 7, "got `bool`"),
    "a-text-target": (params(RESTORE, **{TARGET: "5"}), -32602, 7, "got `str`"),
    "a-null-target": (params(RESTORE, **{TARGET: None}), -32602, 7, "got `null`"),
}


@pytest.mark.parametrize(("line", "code", "request_id", "words"), ERRORS.values(), ids=ERRORS)
def test_a_wrong_request_gets_the_code_of_json_rpc(
    adapter: Adapter, line: object, code: int, request_id: int | None, words: str
) -> None:
    reply = ask(adapter, line)
    assert set(reply) == {"jsonrpc", "id", "error"}
    assert set(reply["error"]) == {"code", "message"}
    assert (reply["error"]["code"], reply["id"]) == (code, request_id)
    assert words in reply["error"]["message"]
    # The conversation goes on.
    assert not adapter.is_shut_down
    assert ask(adapter, request())["result"]["value"] == []


@pytest.mark.parametrize("request_id", [0, -1, U64_MAX, "", "seven", "7"])
def test_a_reply_carries_the_requests_id_as_it_was(adapter: Adapter, request_id: int | str) -> None:
    assert ask(adapter, request(id=request_id))["id"] == request_id


@pytest.mark.parametrize("target", [0, 1, 2**53 + 1, 2**63 - 1, 2**63, U64_MAX])
def test_a_u64_makes_the_round_trip(adapter: Adapter, base: Path, target: int) -> None:
    where = {"base_path": str(base), TARGET: target}
    refused = ask(adapter, params(RESTORE, **where))["error"]["data"]
    assert refused["kind"] == "BackupNotFound"
    assert refused["fields"]["target"] == target


@pytest.mark.parametrize("second", [0, 1, 2**31, 2**32, 2**63, U64_MAX])
def test_any_u64_second_can_be_told(adapter: Adapter, base: Path, second: int) -> None:
    last_nano = second * 10**9 + 10**9 - 1
    made = ask(adapter, params("create_backup", base_path=str(base), now_ns=last_nano))["result"]
    assert made["value"]["timestamp"] == second
    listed = ask(adapter, params("list_backups", base_path=str(base)))["result"]["value"]
    assert listed == [made["value"]]


def test_a_line_may_be_64_mib_long_and_no_longer(converse: Any) -> None:
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
    converse: Any, tmp_path: Path
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


def test_an_implementation_cannot_read_the_harnesss_requests(converse: Any, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    talk = converse("noisy:Noisy")
    where = {"contract": "ticket", "base_path": "/x"}
    assert talk.ask("create_backup", **where)["error"]["data"]["kind"] == "EOFError"
    assert talk.ask("list_backups", **where)["result"]["value"] == []


def test_what_was_printed_before_a_crash_is_in_the_log(converse: Any, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    talk = converse("noisy:Noisy")
    line = json.dumps(params(RESTORE, target_timestamp=1)).encode() + b"\n"
    out, log = talk.process.communicate(line, timeout=10)
    assert (out, talk.process.returncode) == (b"", 9)
    assert log.endswith(b"not flushed\n")


def test_a_value_of_another_shape_is_said_to_be_unfit_and_logged(
    converse: Any, tmp_path: Path
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


def test_a_name_that_leads_nowhere_fails_with_words_on_stderr(converse: Any) -> None:
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
