"""All that is wrong with a message, in words, and what of it is right.

Decoding ends at the first thing that does not fit; who writes an adapter wants to know of all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from reedbase_backup.adapter.schemas import schema
from reedbase_backup.adapter.words import ROUNDED, did_you_mean
from reedbase_backup.types import U64_MAX

_SHOWN = 60
_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
}


def complaints(name: str, message: Any) -> list[str]:
    """Return what is wrong with a decoded message by the schema `name`: a line each, or none.

    The last lines name the fields that are right beside those that are not.
    """
    found = list(_validator(name).iter_errors(message))
    of_types = [list(error.absolute_path) for error in found if error.validator == "type"]
    errors = [
        error
        for error in found
        if error.validator == "type" or list(error.absolute_path) not in of_types
    ]
    lines = [line for error in errors for line in _lines(error)]
    for place, fields in _right(errors).items():
        of = f" of `{place}`" if place else ""
        lines.append(f"right{of}: {', '.join(f'`{field}`' for field in fields)}")
    return _each_once(lines)


@cache
def _validator(name: str) -> Any:
    # JSON Schema takes 9.0 for an integer, and decoders of integers do not.
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return extend(Draft202012Validator, type_checker=checker)(schema(name))


def _lines(error: ValidationError) -> Iterator[str]:
    place, found = _place(error.absolute_path), error.instance
    known = error.schema.get("properties", {})
    if error.validator == "additionalProperties":
        missing = [field for field in known if field not in found]
        for field in found:
            if field not in known:
                yield f"`{_join(place, field)}`: unknown field{did_you_mean(field, missing)}"
    elif error.validator == "required":
        for field in error.validator_value:
            if field not in found:
                yield f"`{_join(place, field)}`: missing"
    else:
        yield f"`{place}`: {_misfit(error.validator, found, error.validator_value)}"


def _misfit(rule: str, found: Any, wanted: Any) -> str:
    """Return why a value does not fit one rule of its schema."""
    in_place_of = f"{_shown(found)} in place of"
    match rule:
        case "type":
            return f"{in_place_of} {_TYPES[wanted]}{_about_rounding(found)}"
        case "minimum":
            return f"{found} is below {wanted}"
        case "maximum":
            return f"{_shown(found)} is more than {_bound(wanted)}{_about_rounding(found)}"
        case "enum":
            return f"{in_place_of} {' or '.join(map(_shown, wanted))}"
        case "anyOf":
            return f"{in_place_of} {' or '.join(_TYPES[each['type']] for each in wanted)}"
    return f"{_shown(found)} has not the entries that belong there"


def _about_rounding(found: Any) -> str:
    """Return what has become of a large integer that is none any more, or of the largest."""
    is_large = isinstance(found, int | float) and abs(found) > 2**53
    was_rounded = is_large and (isinstance(found, float) or float(found) == float(U64_MAX))
    return f": {ROUNDED}" if was_rounded else ""


def _right(errors: list[ValidationError]) -> dict[str, list[str]]:
    """Return the fields that are right in each object that has wrong ones, by its place."""
    wrong = {tuple(error.absolute_path) for error in errors}
    right = {}
    for error in errors:
        path = tuple(error.absolute_path)
        if error.validator in ("additionalProperties", "required"):
            right[re.sub(r"\[\d+\]", "[]", _place(path))] = [
                field
                for field in error.schema["properties"]
                if field in error.instance and not any(_is_in((*path, field), at) for at in wrong)
            ]
    return {place: fields for place, fields in right.items() if fields}


def _is_in(path: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return other[: len(path)] == path


def _each_once(lines: list[str]) -> list[str]:
    """Return the lines, those that differ in an entry's number alone as one."""
    alike: dict[str, list[str]] = {}
    for line in dict.fromkeys(lines):
        alike.setdefault(re.sub(r"^(`[^`]*?)\[\d+\]", r"\1[]", line), []).append(line)
    return [
        first if not more else f"{first} (as in {len(more)} other entries)"
        for first, *more in alike.values()
    ]


def _place(path: Iterable[str | int]) -> str:
    place = ""
    for part in path:
        place = f"{place}[{part}]" if isinstance(part, int) else _join(place, part)
    return place


def _join(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _bound(bound: int) -> str:
    return "2^64-1" if bound == U64_MAX else f"{bound}"
