"""The schemas in the wheel say what the protocol's types say, and are what is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reedbase_backup import errors
from reedbase_backup.adapter import protocol, schemas
from reedbase_backup.adapter.protocol import Contract
from reedbase_backup.adapter.schemas.complaints import complaints
from reedbase_backup.adapter.schemas.making import made
from reedbase_backup.cli.commands import main
from reedbase_backup.types import U64_MAX

FOLDER = Path(schemas.__file__).parent
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([U64_MAX, U64_MAX + 1, 2**63, 10**40]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "gzip", "text"]),
)


@st.composite
def nearly_sound(draw: st.DrawFn, contract: Contract, method: str) -> Any:
    """A value of its type in which up to three places were changed."""
    value = draw(VALUES[contract, method])
    for _ in range(draw(st.integers(0, 3))):
        value = changed(draw, value)
    return value


def changed(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict) and value:
        name = draw(st.sampled_from(sorted(value)))
        how = draw(st.sampled_from(["inside", "without", "more", "renamed"]))
        if how == "inside":
            return {**value, name: changed(draw, value[name])}
        rest = {key: item for key, item in value.items() if key != name or how == "more"}
        return rest if how == "without" else {**rest, f"{name}s": value[name]}
    if isinstance(value, list) and value:
        at = draw(st.integers(0, len(value) - 1))
        if draw(st.booleans()):
            return [*value[:at], changed(draw, value[at]), *value[at + 1 :]]
        return value[:at] + value[at + 1 :]
    return draw(SCALARS | st.lists(SCALARS, max_size=3))


U64 = st.integers(0, U64_MAX)
TEXT = st.text(max_size=5)
BACKUP = st.fixed_dictionaries(
    {"id": TEXT, "timestamp": U64, "size_bytes": U64, "table_count": U64, "compression": TEXT}
)
LAST_BACKUP = st.fixed_dictionaries(
    {"timestamp": U64, "path": TEXT, "size_bytes": U64, "size_mb": st.floats(0, 9) | U64}
)
ERROR = st.fixed_dictionaries({"kind": TEXT, "reason": TEXT})
VALUES: dict[tuple[Contract, str], st.SearchStrategy[Any]] = {
    ("ticket", "create_backup"): BACKUP,
    ("ticket", "list_backups"): st.lists(BACKUP, max_size=3),
    ("ticket", "restore_point_in_time"): st.fixed_dictionaries(
        {"tables_restored": U64, "total_bytes": U64, "duration_ms": U64}
    ),
    ("last", "create_backup"): LAST_BACKUP,
    ("last", "list_backups"): st.lists(LAST_BACKUP, max_size=3),
    ("last", "restore_point_in_time"): st.fixed_dictionaries(
        {
            "target_timestamp": U64,
            "tables_restored": st.lists(st.tuples(TEXT, U64).map(list), max_size=2),
            "tables_skipped": st.lists(TEXT, max_size=2),
            "errors": st.lists(st.tuples(TEXT, ERROR).map(list), max_size=2),
        }
    ),
}


def test_the_files_are_made_from_the_protocols_types() -> None:
    """`python -m reedbase_backup.adapter.schemas.making` writes them."""
    as_made = {name: json.loads(msgspec.json.encode(schema)) for name, schema in made()}
    assert {name: schemas.schema(name) for name in schemas.names()} == as_made


def test_every_method_has_a_schema_of_its_request_and_of_its_reply_by_contract() -> None:
    assert {f"requests/{method}" for method in protocol.PARAMS} <= set(schemas.names())
    assert {schemas.reply_to(method, contract) for contract, method in VALUES} <= set(
        schemas.names()
    )
    assert set(VALUES) == set(protocol.VALUES)


@given(data=st.data())
def test_a_schema_takes_what_decoding_takes_and_refuses_what_decoding_refuses(
    data: st.DataObject,
) -> None:
    contract, method = data.draw(st.sampled_from(sorted(VALUES)))
    value = data.draw(nearly_sound(contract, method))
    reply = {"jsonrpc": "2.0", "id": 1, "result": {"value": value, "elapsed_ns": 1}}
    try:
        msgspec.json.decode(json.dumps(value), type=protocol.VALUES[contract, method])
        fits = True
    except msgspec.ValidationError:
        fits = False
    lines = complaints(schemas.reply_to(method, contract), reply)
    assert (lines == []) == fits, lines


@given(error=st.fixed_dictionaries({"kind": SCALARS, "fields": SCALARS | ERROR, "elapsed_ns": U64}))
@example({"kind": "IoError", "fields": {}, "elapsed_ns": 1})
def test_a_schema_takes_the_errors_that_decoding_takes(error: dict[str, Any]) -> None:
    reply = {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32000, "message": "no", "data": error},
    }
    try:
        msgspec.convert(error, protocol.ErrorData)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (complaints(schemas.ERROR, reply) == []) == fits


@pytest.mark.parametrize("kind", errors.ReedError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_kind_of_error_is_in_the_schema_of_kinds_with_its_fields(
    kind: type[errors.ReedError],
) -> None:
    names = list(getattr(kind, "__dataclass_fields__", ()))
    values = {name: 1 if name in ("target", "oldest", "timestamp") else "x" for name in names}
    values |= {name: 60 for name in names if name == "timeout_secs"}
    data = {"kind": kind.__name__, "fields": values, "elapsed_ns": 1}
    assert complaints("kinds", data) == []
    assert complaints("kinds", {**data, "fields": {**values, "more": 1}}) != []


def test_the_command_prints_all_or_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "schema"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == schemas.names()
    assert main(["adapter", "schema", "replies/error"]) == 0
    assert json.loads(capsys.readouterr().out) == schemas.schema("replies/error")
    assert main(["adapter", "schema", "replies/eror"]) == 2
    assert "replies/error" in capsys.readouterr().err
