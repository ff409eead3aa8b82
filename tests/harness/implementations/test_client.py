"""The harness's side of the protocol: what it asks, and what it makes of the replies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.implementations.calls import BASE
from harness.implementations.canned import (
    BACKUP,
    LAST_BACKUP,
    LAST_REPORT,
    REPORT,
    Canned,
    call,
    error,
    value,
)

from pytest_reedbackup.implementations.answers import Answered, Refused, value_of
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.model.adapter_faults import AdapterFault, ProtocolViolation
from reedbase_backup.adapter.protocol import Hello
from reedbase_backup.types import U64_MAX

HELLO: dict[str, Any] = {
    "protocol": 1,
    "name": "tiny",
    "version": "1",
    "language": "Rust",
    "contracts": ["ticket", "last"],
    "capabilities": ["clock", "teleport"],
}


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


def greet(result: object) -> Hello:
    reply = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    return Client(Canned(reply)).hello(1.0)


def test_hello_says_who_it_is() -> None:
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
    with pytest.raises(ProtocolViolation, match=f"`result.{missing}`: missing"):
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
