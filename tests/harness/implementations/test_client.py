"""The harness's side of the protocol: what replies it takes, and what it says of others."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_reedbackup.implementations.answers import Answer, Answered, Refused, value_of
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.model.adapter_faults import AdapterFault, Misfit, ProtocolViolation
from reedbase_backup.adapter.protocol import Hello
from reedbase_backup.types import U64_MAX

BASE = Path("/somewhere/.reed")
BACKUP = {"id": "5", "timestamp": 5, "size_bytes": 9, "table_count": 2, "compression": "gzip"}
REPORT = {"tables_restored": 2, "total_bytes": 9, "duration_ms": 1}
LAST_BACKUP = {"timestamp": 5, "path": "/b/5.tar.gz", "size_bytes": 9, "size_mb": 0.5}
LAST_REPORT: dict[str, Any] = {
    "target_timestamp": 5,
    "tables_restored": [["text", 4]],
    "tables_skipped": ["routes"],
    "errors": [["users", {"kind": "LogCorrupted", "reason": "no number"}]],
}
HELLO: dict[str, Any] = {
    "protocol": 1,
    "name": "tiny",
    "version": "1",
    "language": "Rust",
    "contracts": ["ticket", "last"],
    "capabilities": ["clock", "teleport"],
}


class Canned:
    """A transport that replies what the test says; `$ID` is the request's id."""

    def __init__(self, reply: str | bytes) -> None:
        self._reply = reply.encode() if isinstance(reply, str) else reply
        self.requests: list[Any] = []
        self.is_closed = False

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        self.requests.append(json.loads(request))
        time.sleep(0.000_1)
        return self._reply.replace(b"$ID", str(self.requests[-1]["id"]).encode())

    def finish(self, timeout_secs: float) -> None:
        self.close()

    def log(self) -> str:
        return "    it said this"

    def close(self) -> None:
        self.is_closed = True


def call(
    reply: str | bytes, method: str = "restore_point_in_time", contract: str = "ticket"
) -> Answer:
    params = {"target_timestamp": U64_MAX} if method == "restore_point_in_time" else {}
    return Client(Canned(reply)).call(method, contract, BASE, 1.0, **params)  # type: ignore[arg-type]


def value(value: object, **more: object) -> str:
    result = {"value": value, "elapsed_ns": 1, **more}
    return json.dumps({"jsonrpc": "2.0", "id": "$ID", "result": result}).replace('"$ID"', "$ID")


def error(data: object, code: int = -32000, **more: object) -> str:
    error = {"code": code, "message": "no", "data": data, **more}
    return json.dumps({"jsonrpc": "2.0", "id": "$ID", "error": error}).replace('"$ID"', "$ID")


@pytest.mark.parametrize(
    ("method", "contract", "sent"),
    [
        ("create_backup", "ticket", BACKUP),
        ("list_backups", "ticket", [BACKUP, BACKUP]),
        ("list_backups", "ticket", []),
        ("restore_point_in_time", "ticket", REPORT),
        ("create_backup", "last", LAST_BACKUP),
        ("list_backups", "last", [LAST_BACKUP]),
        ("restore_point_in_time", "last", LAST_REPORT),
    ],
)
def test_a_value_of_its_contract_is_an_answer(method: str, contract: str, sent: object) -> None:
    answer = call(value(sent), method, contract)
    assert isinstance(answer, Answered)
    assert answer.elapsed_ns == 1


def test_the_largest_u64_arrives_as_it_is() -> None:
    report = value_of(call(value(dict.fromkeys(REPORT, U64_MAX))), "the report")
    assert (report.tables_restored, report.total_bytes, report.duration_ms) == (U64_MAX,) * 3


def test_a_request_carries_what_the_protocol_says() -> None:
    transport = Canned(value(REPORT))
    client = Client(transport)
    client.call("restore_point_in_time", "ticket", BASE, 1.0, target_timestamp=U64_MAX)
    client.call("restore_point_in_time", "ticket", BASE, 1.0, target_timestamp=0)
    assert transport.requests[0] == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "restore_point_in_time",
        "params": {
            "contract": "ticket",
            "base_path": "/somewhere/.reed",
            "target_timestamp": U64_MAX,
        },
    }
    assert transport.requests[1]["id"] == 2


def test_an_error_of_the_implementation_is_a_refusal() -> None:
    fields = {"target": 5, "oldest": None}
    answer = call(error({"kind": "BackupNotFound", "fields": fields, "elapsed_ns": 7}))
    assert answer == Refused("BackupNotFound", fields, "no", 7)
    assert str(answer) == "error BackupNotFound: no"


REPLIES = {
    "not-json": ("hello, world", "malformed"),
    "empty-line": ("", "truncated"),
    "cut-short": ('{"jsonrpc": "2.0", "id": $ID, "resul', "truncated"),
    "two-objects": (value(REPORT) * 2, "trailing"),
    "an-array": (f"[{value(REPORT)}]", "array"),
    "a-byte-order-mark": ("\ufeff" + value(REPORT), "malformed"),
    "invalid-utf-8": (value(REPORT).encode().replace(b"jsonrpc", b"json\xff"), "utf-8"),
    "invalid-utf-8-in-a-text": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 1}).encode().replace(b'"no"', b'"\xff"'),
        "utf-8",
    ),
    "nested-too-deep": (value(0).replace(": 0", ": " + "[" * 99999 + "]" * 99999), "recursion"),
    "no-jsonrpc": (value(REPORT).replace('"jsonrpc": "2.0", ', ""), "jsonrpc"),
    "jsonrpc-1": (value(REPORT).replace("2.0", "1.0"), "jsonrpc"),
    "no-id": (value(REPORT).replace('"id": $ID, ', ""), "id"),
    "another-id": (value(REPORT).replace("$ID", "77"), "its id is 77, the request's was 1"),
    "a-null-id": (value(REPORT).replace("$ID", "null"), "its id is None"),
    "a-text-id": (value(REPORT).replace("$ID", '"$ID"'), "its id is '1'"),
    "a-float-id": (value(REPORT).replace("$ID", "$ID.0"), "got `float`"),
    "a-boolean-id": (value(REPORT).replace("$ID", "true"), "got `bool`"),
    "neither": ('{"jsonrpc": "2.0", "id": $ID}', "either `result` or `error`"),
    "both": (
        value(REPORT)[:-1] + ', "error": {"code": -32000, "message": "no"}}',
        "either `result` or `error`",
    ),
    "a-null-error-too": (value(REPORT)[:-1] + ', "error": null}', "null"),
    "unknown-field": (value(REPORT)[:-1] + ', "extra": 1}', "unknown field `extra`"),
    "unknown-field-of-result": (value(REPORT, extra=1), "unknown field `extra`"),
    "no-elapsed": (value(REPORT).replace(', "elapsed_ns": 1', ""), "elapsed_ns"),
    "a-float-elapsed": (value(REPORT, elapsed_ns=1.0), "got `float`"),
    "a-negative-elapsed": (value(REPORT, elapsed_ns=-1), ">= 0"),
    "an-elapsed-over-u64": (value(REPORT, elapsed_ns=2**64), "more than 2^64-1"),
    "more-elapsed-than-passed": (value(REPORT, elapsed_ns=10**12), "that passed"),
    "a-null-result": ('{"jsonrpc": "2.0", "id": $ID, "result": null}', "null"),
    "parse-error": (error(None, -32700), "error code -32700"),
    "invalid-request": (error(None, -32600), "error code -32600"),
    "method-not-found": (error(None, -32601), "error code -32601"),
    "invalid-params": (error(None, -32602), "error code -32602"),
    "a-code-of-its-own": (error(None, -32001), "error code -32001"),
    "a-float-code": (error(None, -32000.0), "got `float`"),  # type: ignore[arg-type]
    "no-data": (error(None).replace(', "data": null', ""), "error -32000 without `data`"),
    "null-data": (error(None), "got `null`"),
    "no-kind": (error({"fields": {}, "elapsed_ns": 1}), "kind"),
    "no-fields": (error({"kind": "X", "elapsed_ns": 1}), "fields"),
    "no-elapsed-of-an-error": (error({"kind": "X", "fields": {}}), "elapsed_ns"),
    "fields-no-object": (error({"kind": "X", "fields": [], "elapsed_ns": 1}), "array"),
    "unknown-field-of-error": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 1}, extra=1),
        "unknown field `extra`",
    ),
    "unknown-field-of-data": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 1, "extra": 1}),
        "unknown field `extra`",
    ),
    "more-elapsed-of-an-error": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 10**12}),
        "that passed",
    ),
}


@pytest.mark.parametrize(("reply", "reason"), REPLIES.values(), ids=REPLIES)
def test_a_reply_that_the_protocol_does_not_allow_is_a_violation(
    reply: bytes | str, reason: str
) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        call(reply)
    assert reason in caught.value.reason
    assert not isinstance(caught.value, Misfit)


MISFITS: dict[str, tuple[Any, str]] = {
    "unknown-field": ({**REPORT, "extra": 1}, "unknown field `extra`"),
    "missing-field": ({"tables_restored": 2, "total_bytes": 9}, "duration_ms"),
    "float-for-int": ({**REPORT, "total_bytes": 9.0}, "got `float`"),
    "bool-for-int": ({**REPORT, "total_bytes": True}, "got `bool`"),
    "text-for-int": ({**REPORT, "total_bytes": "9"}, "got `str`"),
    "null-for-int": ({**REPORT, "total_bytes": None}, "got `null`"),
    "negative": ({**REPORT, "duration_ms": -1}, ">= 0"),
    "over-u64": ({**REPORT, "total_bytes": 2**64}, "more than 2^64-1"),
    "a-hundred-digits": ({**REPORT, "total_bytes": 10**100}, "more than 2^64-1"),
    "a-list": ([REPORT], "got `array`"),
    "null": (None, "got `null`"),
}


@pytest.mark.parametrize(("sent", "reason"), MISFITS.values(), ids=MISFITS)
def test_a_value_of_another_shape_is_a_misfit(sent: object, reason: str) -> None:
    with pytest.raises(Misfit) as caught:
        call(value(sent))
    assert caught.value.reason.startswith("the value does not fit its contract: ")
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    "changed",
    [
        {"tables_restored": [["text", -1]]},
        {"tables_restored": [["text", 2**64]]},
        {"tables_restored": [["text"]]},
        {"tables_skipped": [1]},
        {"errors": [["users", {"reason": "no kind"}]]},
        {"errors": [["users", "LogCorrupted"]]},
    ],
    ids=str,
)
def test_what_is_inside_a_report_of_last_is_looked_at_too(changed: dict[str, object]) -> None:
    with pytest.raises(Misfit):
        call(value({**LAST_REPORT, **changed}), "restore_point_in_time", "last")


def test_a_value_of_the_other_contract_is_a_misfit() -> None:
    with pytest.raises(Misfit):
        call(value(LAST_BACKUP), "create_backup", "ticket")


def test_a_value_that_is_not_utf_8_is_no_misfit_but_no_json() -> None:
    sent = value({**BACKUP, "id": "$"}).encode().replace(b'"$"', b'"\xff"')
    with pytest.raises(ProtocolViolation) as caught:
        call(sent, "create_backup")
    assert not isinstance(caught.value, Misfit)


def test_a_violation_shows_call_reason_raw_line_and_log() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        call("Compiling…")
    shown = str(caught.value)
    assert shown.startswith(
        "restore_point_in_time(base_path='/somewhere/.reed', target_timestamp=18446744073709551615)"
    )
    assert "the reply was: Compiling…" in shown
    assert shown.endswith("its stderr ends:\n    it said this")


def test_an_empty_line_is_shown_as_such() -> None:
    with pytest.raises(ProtocolViolation, match=r"the reply was: \(empty\)\n"):
        call("")


def test_a_long_raw_line_is_shown_by_its_beginning_and_length() -> None:
    with pytest.raises(ProtocolViolation, match=r"x{500} … \(9999 bytes\)"):
        call("x" * 9999)


def greet(result: object) -> Hello:
    reply = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    return Client(Canned(reply)).hello(1.0)


def test_hello_tells_who_it_is() -> None:
    hello = greet(HELLO)
    assert (hello.name, hello.contracts) == ("tiny", ["ticket", "last"])


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": 1},
        {"protocol": 2},
        {"protocol": True},
        {"contracts": ["ticket", "first"]},
        {"contracts": "ticket"},
        {"contracts": []},
        {"capabilities": None},
        {"name": 5},
    ],
    ids=str,
)
def test_a_hello_of_another_shape_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(AdapterFault, match=r"^hello: "):
        greet({**HELLO, **changed})


@pytest.mark.parametrize("missing", list(HELLO))
def test_a_hello_that_lacks_a_field_is_refused(missing: str) -> None:
    with pytest.raises(ProtocolViolation, match=f"missing required field `{missing}`"):
        greet({name: value for name, value in HELLO.items() if name != missing})


def test_shutdown_closes_the_transport() -> None:
    transport = Canned('{"jsonrpc": "2.0", "id": 1, "result": {"value": null}}')
    Client(transport).shutdown(1.0)
    assert transport.requests[0]["method"] == "shutdown"
    assert transport.requests[0]["params"] == {}
    assert transport.is_closed


@pytest.mark.parametrize(
    "reply",
    [error(None), '{"jsonrpc": "2.0", "id": 1, "result": {"value": 0}}', value(None)],
    ids=["error", "other-value", "extra-field"],
)
def test_another_reply_to_shutdown_is_a_violation_and_ends_it_too(reply: str) -> None:
    transport = Canned(reply)
    with pytest.raises(ProtocolViolation, match=r"^shutdown: "):
        Client(transport).shutdown(1.0)
    assert transport.is_closed
