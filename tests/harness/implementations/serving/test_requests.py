"""Each request gets the reply, or the code of JSON-RPC, that the protocol names."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.implementations.serving.speaking import RESTORE, TARGET, ask, params, request

from reedbase_backup.adapter.loading import load
from reedbase_backup.adapter.serving import Adapter
from reedbase_backup.types import U64_MAX


@pytest.fixture
def adapter() -> Adapter:
    return Adapter(load("python"))


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
def test_any_u64_second_can_be_the_time(adapter: Adapter, base: Path, second: int) -> None:
    last_nano = second * 10**9 + 10**9 - 1
    made = ask(adapter, params("create_backup", base_path=str(base), now_ns=last_nano))["result"]
    assert made["value"]["timestamp"] == second
    listed = ask(adapter, params("list_backups", base_path=str(base)))["result"]["value"]
    assert listed == [made["value"]]
