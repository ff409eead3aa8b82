"""What a call came to, in JSON's types and whatever the base: so that two can be compared."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.implementations.answers import Answer, Refused
from reedbase_backup.errors import ReedError

BASE_MARK = "{base}"
"""Stands for the base path in texts."""


def ok(value: Any, base: Path) -> dict[str, Any]:
    """Return `{"ok": value}`, its lists sorted by table; `value` is of a reply, or dataclasses."""
    plain = _plain(value, base)
    if isinstance(plain, dict) and "tables_restored" in plain:
        for name in ("tables_restored", "tables_skipped", "errors"):
            plain[name] = sorted(plain[name], key=_table)
    return {"ok": plain}


def err(error: ReedError, base: Path) -> dict[str, Any]:
    """Return `{"err": {"kind": …, field: …}}`."""
    return {"err": _plain(error, base)}


def outcome_of(answer: Answer, base: Path) -> dict[str, Any]:
    """Return what `ok` or `err` does, of an answer over the protocol."""
    if isinstance(answer, Refused):
        return {"err": _plain({"kind": answer.kind, **answer.fields}, base)}
    return ok(answer.value, base)


def _plain(value: Any, base: Path) -> Any:
    """Return `value` in JSON's types, with the mark for the base path in every text."""
    match value:
        case str() | os.PathLike():
            return os.fspath(value).replace(str(base), BASE_MARK)
        case ReedError():
            return {"kind": value.kind, **_plain(value.fields, base)}
        case dict():
            return {key: _plain(item, base) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, base) for item in value]
        case msgspec.Struct():
            return _plain(msgspec.structs.asdict(value), base)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name), base) for each in fields(value)}
    return value


def _table(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry[0])
