"""What Python implementations return and raise, in JSON's types.

A value that is returned is converted to the letter, or `Unsendable` says what
cannot be sent: the implementation made it, whatever goes wrong on the way. Of
an exception everything is told that can be: what a field cannot carry is shown
as text.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from reedbase_backup.types import U64_MAX

Read = TypeVar("Read")

# No value of either contract has more than four levels: a list of reports, each with a list of
# pairs of a name and an error. What is deeper is endless as likely as not.
_DEEPEST = 16
_MOST_SHOWN = 200


class Unsendable(Exception):
    """A value that no reply can carry.

    `field` says where it is in what was returned, as in `[0].timestamp`; empty
    for the whole of it. `found` says what is there.
    """

    def __init__(self, field: str, found: str) -> None:
        super().__init__(f"{field or 'the value'} is {found}")
        self.field = field
        self.found = found


def to_json_value(value: Any, field: str = "", depth: int = 0) -> Any:
    """Return `value` in JSON's types; whether it fits its contract is for the schema to say.

    Whatever counts as an integer for Python is sent as one, NumPy's among them,
    and a path as its text. Enums go as what they also are, an `int` or a `str`.
    Raise Unsendable.
    """
    if depth > _DEEPEST:
        raise Unsendable(field, f"more than {_DEEPEST} levels deep")
    if value is None or isinstance(value, bool | int | float | str | os.PathLike):
        return _scalar(value, field)
    if isinstance(value, type):
        raise Unsendable(field, f"the class {value.__qualname__} itself")
    if isinstance(value, Enum):
        raise Unsendable(field, f"{_a(value)}, an Enum that is neither an int nor a str")
    if isinstance(value, BaseException):
        return {"kind": error_kind(value), **error_fields(value)}
    if isinstance(value, Mapping):
        items = _read(lambda: list(value.items()), value, field)
        return {
            _key(key, field): to_json_value(item, _at(field, key), depth + 1) for key, item in items
        }
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [to_json_value(item, f"{field}[{at}]", depth + 1) for at, item in enumerate(value)]
    if hasattr(type(value), "__index__"):
        return _integer(_read(lambda: operator.index(value), value, field), field)
    names = _read(lambda: _field_names(value), value, field)
    if not names:
        raise Unsendable(field, f"{_a(value)}, of no type that JSON has")
    return {
        name: to_json_value(
            _read(partial(getattr, value, name), value, _at(field, name)),
            _at(field, name),
            depth + 1,
        )
        for name in names
    }


def error_kind(error: BaseException) -> str:
    """Return the ReedError variant's name; for any other exception its class."""
    return _kind(error) or type(error).__name__


def says_its_kind(error: BaseException) -> bool:
    """Return whether the error is a ReedError, rather than a bug as likely as an answer."""
    return bool(_kind(error))


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return what the error says are its `fields`, else its public attributes."""
    try:
        return _error_fields(error)
    except Exception as unreadable:  # noqa: BLE001 - properties of the implementation's
        return {"unreadable": _shown(unreadable)}


def error_text(error: BaseException) -> str:
    """Return the error's message, or its kind where it has none."""
    try:
        return _text(str(error)) or error_kind(error)
    except Exception as unreadable:  # noqa: BLE001 - as above
        return f"{error_kind(error)}, whose text cannot be read: {_shown(unreadable)}"


def _kind(error: BaseException) -> str:
    try:
        kind = getattr(error, "kind", None)
    except Exception:  # noqa: BLE001 - a property of the implementation's
        return ""
    return _text(kind) if isinstance(kind, str) else ""


def _error_fields(error: BaseException) -> dict[str, Any]:
    fields = getattr(error, "fields", None)
    if not isinstance(fields, Mapping):
        names = [name for name in _field_names(error) if not name.startswith("_")]
        fields = {name: getattr(error, name) for name in names if name != "kind"}
    return {_text(str(name)): _value_or_repr(item) for name, item in fields.items()}


def _value_or_repr(value: Any) -> Any:
    try:
        return to_json_value(value)
    except Unsendable:
        return _shown(value)


def _scalar(value: Any, field: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(int.__index__(value), field)
    if isinstance(value, float):
        number = float.__float__(value)
        if not math.isfinite(number):
            raise Unsendable(field, f"the float {number}, which JSON does not have")
        return number
    if isinstance(value, str):
        return _text(value)
    return _text(os.fsdecode(_read(lambda: os.fspath(value), value, field)))


def _integer(number: int, field: str) -> int:
    if not -U64_MAX <= number <= U64_MAX:
        raise Unsendable(field, f"an integer of {number.bit_length()} bits, more than a u64 has")
    return number


def _text(value: str) -> str:
    # A file name that is not UTF-8 has no other way through JSON.
    return str.encode(value, "utf-8", "backslashreplace").decode()


def _key(key: Any, field: str) -> str:
    if not isinstance(key, str):
        raise Unsendable(field, f"a mapping with a key that is {_a(key)}")
    return _text(key)


def _at(field: str, name: Any) -> str:
    part = _text(name) if isinstance(name, str) else _a(name)
    return f"{field}.{part}" if field else part


def _read(look: Callable[[], Read], value: Any, field: str) -> Read:
    """Return what `look` returns, which runs code of the implementation's."""
    try:
        return look()
    except Exception as error:
        raise Unsendable(field, f"unreadable in {_a(value)}: {_shown(error)}") from error


def _a(value: Any) -> str:
    kind = type(value)
    name = kind.__qualname__
    return f"a {name}" if kind.__module__ == "builtins" else f"a {kind.__module__}.{name}"


def _shown(value: Any) -> str:
    """Return what `repr` makes of a value, cut short; its type where `repr` fails."""
    try:
        return _text(repr(value))[:_MOST_SHOWN]
    except Exception:  # noqa: BLE001 - the implementation's own __repr__
        return _a(value)


def _field_names(value: Any) -> list[str]:
    """Return the names of a dataclass's, Struct's, named tuple's or plain object's fields."""
    for attribute in ("__dataclass_fields__", "__struct_fields__", "_fields", "__dict__"):
        if names := getattr(value, attribute, None):
            return list(names)
    return list(getattr(value, "__slots__", ()))
