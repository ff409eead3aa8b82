"""In which lines two values differ: lists entry by entry, records field by field."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def difference(expected: Any, found: Any) -> list[str]:
    """Return what is missing (`-`), too much (`+`) and how much is equal around it.

    Nothing for values that are neither both lists nor both records.
    """
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return _of_lists(list(map(repr, expected)), list(map(repr, found)))
    if (of_expected := _record(expected)) is not None and (of_found := _record(found)) is not None:
        return _of_records(of_expected, of_found)
    return []


def _record(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    return value if isinstance(value, Mapping) else None


def _of_lists(expected: Sequence[str], found: Sequence[str]) -> list[str]:
    lines = []
    matcher = difflib.SequenceMatcher(None, expected, found, autojunk=False)
    for kind, start, end, found_start, found_end in matcher.get_opcodes():
        if kind == "equal":
            lines.append(_equal(end - start, "entries" if end - start > 1 else "entry"))
        else:
            lines += [f"- {entry}" for entry in expected[start:end]]
            lines += [f"+ {entry}" for entry in found[found_start:found_end]]
    return lines


def _of_records(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> list[str]:
    lines, equal = [], 0
    for name in dict.fromkeys([*expected, *found]):
        if name in expected and name in found and expected[name] == found[name]:
            equal += 1
            continue
        lines += [f"- {name}: {expected[name]!r}"] if name in expected else []
        lines += [f"+ {name}: {found[name]!r}"] if name in found else []
    return [*lines, _equal(equal, "fields" if equal > 1 else "field")] if equal else lines


def _equal(number: int, what: str) -> str:
    return f"  … {number} {what} as expected"
