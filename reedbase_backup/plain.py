"""What Python implementations return and raise, in JSON's types."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A returned value as JSON types; what it is worth is for the schema to say."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | os.PathLike):
        # A file name that is not UTF-8 has no other way through JSON.
        return os.fspath(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, BaseException):
        return {"kind": error_kind(value), **error_fields(value)}
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [plain(item) for item in value]
    return {name: plain(getattr(value, name)) for name in _field_names(value)} or repr(value)


def error_kind(error: BaseException) -> str:
    """The ReedError variant's name; for any other exception its class."""
    kind = getattr(error, "kind", None)
    return kind if isinstance(kind, str) else type(error).__name__


def error_fields(error: BaseException) -> dict[str, Any]:
    """What it says are its `fields`, else its public attributes."""
    fields = getattr(error, "fields", None)
    if not isinstance(fields, Mapping):
        names = [name for name in _field_names(error) if not name.startswith("_")]
        fields = {name: getattr(error, name) for name in names if name != "kind"}
    return {plain(str(name)): plain(item) for name, item in fields.items()}


def _field_names(value: Any) -> list[str]:
    """The names of a dataclass's, Struct's, named tuple's or plain object's fields."""
    for attribute in ("__dataclass_fields__", "__struct_fields__", "_fields", "__dict__"):
        if names := getattr(value, attribute, None):
            return list(names)
    return list(getattr(value, "__slots__", ()))
