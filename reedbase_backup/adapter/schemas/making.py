"""Make the schemas from the protocol's types.

`python -m reedbase_backup.adapter.schemas.making` writes the files anew.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType, defstruct

from reedbase_backup import errors
from reedbase_backup.adapter import protocol
from reedbase_backup.adapter.schemas import _FOLDER, ERROR, reply_to
from reedbase_backup.types import U64_MAX

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTEGER = {"type": "integer", "minimum": 0, "maximum": U64_MAX}
_FIELD_TYPES = {
    "str": {"type": "string"},
    "int": _INTEGER,
    "int | None": {"anyOf": [_INTEGER, {"type": "null"}]},
}


def made() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema with its name."""
    for method, params in protocol.PARAMS.items():
        yield f"requests/{method}", _request(method, params)
    yield reply_to("hello"), _reply("hello", protocol.Hello)
    yield reply_to("shutdown"), _reply("shutdown", protocol.ShutdownResult)
    for (contract, method), value in protocol.VALUES.items():
        result = _struct("Result", value=value, elapsed_ns=protocol.U64)
        yield reply_to(method, contract), _reply(f"{method} under contract {contract}", result)
    yield ERROR, _error()
    yield "kinds", _kinds()


def _struct(name: str, **fields: Any) -> type[msgspec.Struct]:
    of_optional = [(field, kind, UNSET) for field, kind in fields.items() if _is_optional(kind)]
    required = [(field, kind) for field, kind in fields.items() if not _is_optional(kind)]
    return defstruct(name, [*required, *of_optional], forbid_unknown_fields=True)


def _is_optional(kind: Any) -> bool:
    return UnsetType in getattr(kind, "__args__", ())


def _request(method: str, params: type) -> dict[str, Any]:
    request = _struct(
        "Request",
        jsonrpc=Literal["2.0"],
        id=int,
        method=Literal[method],
        params=params,
    )
    return _schema(f"request: {method}", request)


def _reply(of: str, result: Any) -> dict[str, Any]:
    reply = _struct("Reply", jsonrpc=Literal["2.0"], id=int | str, result=result)
    return _schema(f"reply to {of}", reply)


def _error() -> dict[str, Any]:
    """Return the schema of errors: with `data` where they are the implementation's."""
    error = _struct("Error", code=int, message=str, data=protocol.ErrorData | UnsetType)
    reply = _struct("Reply", jsonrpc=Literal["2.0"], id=int | str | None, error=error)
    return _schema("reply: an error", reply)


def _kinds() -> dict[str, Any]:
    """Return what `data` of an error has for each of the documented kinds."""
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.ReedError) and kind is not errors.ReedError
    ]
    return {
        "$schema": _DIALECT,
        "title": "kinds of errors: `data` of an error of the implementation",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds],
        "$defs": {kind.__name__: _kind(kind) for kind in kinds},
    }


def _kind(kind: type[errors.ReedError]) -> dict[str, Any]:
    properties = {name: _FIELD_TYPES[kind] for name, kind in _fields(kind)}
    return {
        "description": inspect.getdoc(kind),
        "type": "object",
        "properties": {
            "kind": {"const": kind.__name__},
            "fields": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
            "elapsed_ns": _INTEGER,
        },
        "required": ["kind", "fields", "elapsed_ns"],
        "additionalProperties": False,
    }


def _fields(kind: type[errors.ReedError]) -> list[tuple[str, str]]:
    if not dataclasses.is_dataclass(kind):
        return []
    return [(field.name, str(field.type)) for field in dataclasses.fields(kind)]


def _schema(title: str, kind: Any) -> dict[str, Any]:
    generated = msgspec.json.schema(kind)
    return {"$schema": _DIALECT, "title": title, **generated}


if __name__ == "__main__":
    for name, schema in made():
        path = _FOLDER / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n")
