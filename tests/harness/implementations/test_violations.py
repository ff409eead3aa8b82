"""Replies that the protocol does not allow, and values that a contract does not."""

from __future__ import annotations

from typing import Any

import pytest
from harness.implementations.canned import (
    BACKUP,
    LAST_BACKUP,
    LAST_REPORT,
    REPORT,
    call,
    error,
    value,
)

from pytest_reedbackup.model.adapter_faults import Misfit, ProtocolViolation

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
    "a-float-id": (value(REPORT).replace("$ID", "$ID.0"), "`id`: 1.0 in place of an integer"),
    "a-boolean-id": (value(REPORT).replace("$ID", "true"), "`id`: true in place of an integer"),
    "neither": ('{"jsonrpc": "2.0", "id": $ID}', "either `result` or `error`"),
    "both": (
        value(REPORT)[:-1] + ', "error": {"code": -32000, "message": "no"}}',
        "either `result` or `error`",
    ),
    "a-null-error-too": (value(REPORT)[:-1] + ', "error": null}', "null"),
    "unknown-field": (value(REPORT)[:-1] + ', "extra": 1}', "`extra`: unknown field"),
    "unknown-field-of-result": (value(REPORT, extra=1), "`result.extra`: unknown field"),
    "no-elapsed": (value(REPORT).replace(', "elapsed_ns": 1', ""), "elapsed_ns"),
    "a-float-elapsed": (value(REPORT, elapsed_ns=1.0), "1.0 in place of an integer"),
    "a-negative-elapsed": (value(REPORT, elapsed_ns=-1), "-1 is below 0"),
    "an-elapsed-over-u64": (value(REPORT, elapsed_ns=2**64), "more than 2^64-1"),
    "more-elapsed-than-passed": (value(REPORT, elapsed_ns=10**12), "that passed"),
    "a-null-result": ('{"jsonrpc": "2.0", "id": $ID, "result": null}', "null"),
    "parse-error": (error(None, -32700), "error code -32700"),
    "invalid-request": (error(None, -32600), "error code -32600"),
    "method-not-found": (error(None, -32601), "error code -32601"),
    "invalid-params": (error(None, -32602), "error code -32602"),
    "a-code-of-its-own": (error(None, -32001), "error code -32001"),
    "a-float-code": (error(None, -32000.0), "-32000.0 in place of an integer"),  # type: ignore[arg-type]
    "no-data": (error(None).replace(', "data": null', ""), "error -32000 without `data`"),
    "null-data": (error(None), "`error.data`: null in place of an object"),
    "no-kind": (error({"fields": {}, "elapsed_ns": 1}), "kind"),
    "no-fields": (error({"kind": "X", "elapsed_ns": 1}), "fields"),
    "no-elapsed-of-an-error": (error({"kind": "X", "fields": {}}), "elapsed_ns"),
    "fields-no-object": (
        error({"kind": "X", "fields": [], "elapsed_ns": 1}),
        "[] in place of an object",
    ),
    "unknown-field-of-error": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 1}, extra=1),
        "`error.extra`: unknown field",
    ),
    "unknown-field-of-data": (
        error({"kind": "X", "fields": {}, "elapsed_ns": 1, "extra": 1}),
        "`error.data.extra`: unknown field",
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
    "unknown-field": ({**REPORT, "extra": 1}, "`result.value.extra`: unknown field"),
    "missing-field": ({"tables_restored": 2, "total_bytes": 9}, "duration_ms"),
    "float-for-int": ({**REPORT, "total_bytes": 9.0}, "9.0 in place of an integer"),
    "bool-for-int": ({**REPORT, "total_bytes": True}, "true in place of an integer"),
    "text-for-int": ({**REPORT, "total_bytes": "9"}, '"9" in place of an integer'),
    "null-for-int": ({**REPORT, "total_bytes": None}, "null in place of an integer"),
    "negative": ({**REPORT, "duration_ms": -1}, "-1 is below 0"),
    "over-u64": ({**REPORT, "total_bytes": 2**64}, "more than 2^64-1"),
    "a-hundred-digits": ({**REPORT, "total_bytes": 10**100}, "more than 2^64-1"),
    "a-list": ([REPORT], "in place of an object"),
    "null": (None, "`result.value`: null in place of an object"),
}


@pytest.mark.parametrize(("sent", "reason"), MISFITS.values(), ids=MISFITS)
def test_a_value_of_another_shape_is_a_misfit(sent: object, reason: str) -> None:
    with pytest.raises(Misfit) as caught:
        call(value(sent))
    assert caught.value.reason.startswith("the value is not of its contract's type:")
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
