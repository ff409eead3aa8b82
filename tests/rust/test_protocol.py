"""What every built adapter owes to the protocol, whatever crate is behind it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from rust.adapters import Adapter, Start, TakeSnapshot

pytestmark = pytest.mark.slow


@pytest.fixture(params=["ticket", "last"])
def contract(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def executable(request: pytest.FixtureRequest, contract: str) -> Path:
    path = request.getfixturevalue(f"{contract}_adapter")
    assert isinstance(path, Path)
    return path


@pytest.fixture
def adapter(start: Start, executable: Path) -> Adapter:
    return start(executable)


def code(reply: dict[str, Any]) -> int:
    assert set(reply["error"]) == {"code", "message"}
    assert reply["error"]["message"]
    return int(reply["error"]["code"])


def test_hello_says_who_is_there(adapter: Adapter, contract: str) -> None:
    names = {"ticket": "reedbackup-ticket", "last": "reedbackup-last-shape"}
    assert adapter.call("hello", {"protocol": 1})["result"] == {
        "protocol": 1,
        "name": names[contract],
        "version": "0.1.0",
        "language": "Rust",
        "contracts": [contract],
        "capabilities": [],
    }


def test_no_backups_are_an_empty_list_and_nothing_is_created(
    adapter: Adapter, contract: str, tmp_path: Path
) -> None:
    assert adapter.value("list_backups", contract=contract, base_path=tmp_path / "no base") == []
    assert list(tmp_path.iterdir()) == []


def test_elapsed_time_is_no_longer_than_the_wait(
    adapter: Adapter, contract: str, base: Path
) -> None:
    params = {"contract": contract, "base_path": str(base)}
    start = time.monotonic_ns()
    reply = adapter.call("list_backups", params)
    assert 0 < reply["result"]["elapsed_ns"] <= time.monotonic_ns() - start


@pytest.mark.parametrize("target", [0, 1, 2**32, 2**53 + 1, 2**63, 2**64 - 1])
def test_targets_up_to_the_largest_u64_arrive_as_they_are(
    adapter: Adapter, contract: str, base: Path, target: int
) -> None:
    params = {"contract": contract, "base_path": base, "target_timestamp": target}
    if contract == "ticket":
        fields = adapter.error("restore_point_in_time", **params)["data"]["fields"]
        assert fields == {"target": target, "oldest": None}
    else:
        assert adapter.value("restore_point_in_time", **params)["target_timestamp"] == target


def test_an_error_of_the_implementation_is_data(
    adapter: Adapter, contract: str, tmp_path: Path
) -> None:
    params = {"contract": contract, "base_path": tmp_path, "target_timestamp": 5}
    error = adapter.error("restore_point_in_time", **params)
    kinds = {"ticket": "BackupNotFound", "last": "NoTablesFound"}
    assert error["data"]["kind"] == kinds[contract]
    assert error["data"]["elapsed_ns"] > 0
    texts = {
        "ticket": "No backup at or before 5: there are no backups",
        "last": "No tables found",
    }
    assert error["message"] == texts[contract]


def test_an_error_with_a_system_reason_keeps_its_fields(
    adapter: Adapter, contract: str, tmp_path: Path
) -> None:
    file = tmp_path / "a file"
    file.write_text("")
    data = adapter.error("create_backup", contract=contract, base_path=file)["data"]
    assert data["kind"] == "IoError"
    assert set(data["fields"]) == {"operation", "reason"}
    assert "Not a directory (os error 20)" in data["fields"]["reason"]


@pytest.mark.parametrize("line", [b"", b"nonsense", b"{", b'{"a": "\xff"}', b"{} {}"])
def test_what_is_not_json_is_a_parse_error(adapter: Adapter, line: bytes) -> None:
    reply = adapter.line(line)
    assert (code(reply), reply["id"]) == (-32700, None)


def test_a_line_over_64_mib_is_refused_and_skipped(adapter: Adapter) -> None:
    line = b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * (64 << 20) + b'"}'
    reply = adapter.line(line)
    assert (code(reply), reply["id"]) == (-32700, None)
    assert "result" in adapter.call("hello", {"protocol": 1})


@pytest.mark.parametrize(
    ("request_", "id_"),
    [
        ([], None),
        ({}, None),
        ({"jsonrpc": "2.0", "method": "hello", "params": {"protocol": 1}}, None),
        ({"jsonrpc": "1.0", "id": 5, "method": "hello", "params": {"protocol": 1}}, 5),
        ({"jsonrpc": "2.0", "id": "five", "params": {}}, "five"),
        ({"jsonrpc": "2.0", "id": 5, "method": "shutdown", "params": {}, "more": 1}, 5),
    ],
)
def test_what_is_no_request_is_an_invalid_request(
    adapter: Adapter, request_: object, id_: object
) -> None:
    reply = adapter.line(json.dumps(request_).encode())
    assert (code(reply), reply["id"]) == (-32600, id_)


@pytest.mark.parametrize("method", ["", "Hello", "verify", "create_backup2"])
def test_an_unknown_method_is_refused(adapter: Adapter, method: str) -> None:
    assert code(adapter.call(method, {})) == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("hello", {}),
        ("hello", {"protocol": 2}),
        ("hello", {"protocol": 1, "more": 1}),
        ("create_backup", []),
        ("create_backup", {"contract": "CONTRACT"}),
        ("create_backup", {"contract": "other", "base_path": "BASE"}),
        ("create_backup", {"contract": "CONTRACT", "base_path": 1}),
        ("create_backup", {"contract": "CONTRACT", "base_path": "BASE", "now_ns": 1}),
        ("list_backups", {"contract": "CONTRACT", "base_path": None}),
        ("restore_point_in_time", {"contract": "CONTRACT", "base_path": "BASE"}),
        *(
            (
                "restore_point_in_time",
                {"contract": "CONTRACT", "base_path": "BASE", "target_timestamp": target},
            )
            for target in (-1, 1.5, 1.0, "1", None, True, 2**64)
        ),
        ("shutdown", {"more": 1}),
    ],
)
def test_wrong_parameters_are_refused_and_nothing_happens(
    adapter: Adapter, contract: str, base: Path, snapshot: TakeSnapshot, method: str, params: Any
) -> None:
    before = snapshot(base)
    names = {"CONTRACT": contract, "BASE": str(base)}
    if isinstance(params, dict):
        params = {
            key: names.get(value, value) if isinstance(value, str) else value
            for key, value in params.items()
        }
    assert code(adapter.call(method, params)) == -32602
    assert snapshot(base) == before
    assert "result" in adapter.call("hello", {"protocol": 1})


def test_shutdown_replies_then_exits_0(adapter: Adapter) -> None:
    assert adapter.call("shutdown", {})["result"] == {"value": None}
    assert adapter.process.wait(timeout=10) == 0


def test_it_ends_when_stdin_closes(adapter: Adapter) -> None:
    adapter.call("hello", {"protocol": 1})
    assert adapter.close() == (0, "")


def test_it_ends_when_stdin_is_closed_from_the_start(executable: Path) -> None:
    run = subprocess.run([executable], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_it_ends_when_nobody_reads_its_replies(adapter: Adapter) -> None:
    process = adapter.process
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(b"nonsense\n")
    process.stdin.flush()
    assert process.wait(timeout=10) == 1
    assert b"Broken pipe" in process.stderr.read()
