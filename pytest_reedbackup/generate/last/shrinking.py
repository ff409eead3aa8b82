"""Shrink a scenario for as long as it still shows what it was found for.

What is tried is taken away from the scenario itself, not from the draws that
made it: so it does not matter how it was drawn, and a few hundred tries do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pytest_reedbackup.generate.last.scenarios import (
    Call,
    Edit,
    Restore,
    Scenario,
    TableHistory,
    Version,
)

Part = TypeVar("Part")

_MOST_TRIES = 600
# Each of them may take 4.6 s a call and side.
_MOST_SLOW_TRIES = 12
_NAMES = ("t", "text")


def shrink(scenario: Scenario, reproduces: Callable[[Scenario], bool]) -> Scenario:
    """Return the smallest scenario that reproduces it still, of a fixed order of tries."""
    tried = {scenario.digest}
    slow = 0
    while True:
        for smaller in _smaller(scenario):
            is_slow = any(table.lock == "throughout" for table in smaller.tables)
            if smaller.digest in tried or (is_slow and slow == _MOST_SLOW_TRIES):
                continue
            if len(tried) > _MOST_TRIES:
                return scenario
            tried.add(smaller.digest)
            slow += is_slow
            if reproduces(smaller):
                scenario = smaller
                break
        else:
            return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios with less in them, the largest steps first."""
    for calls in _without_one(scenario.calls):
        if calls:
            yield replace(scenario, calls=calls)
    for tables in _without_one(scenario.tables):
        yield replace(scenario, tables=tables)
    yield replace(scenario, backups=(), strays=(), obstacles=(), users=None)
    yield replace(scenario, users=None)
    for name in ("backups", "strays", "obstacles"):
        for rest in _without_one(getattr(scenario, name)):
            yield replace(scenario, **{name: rest})
    if scenario.users is not None:
        lines = tuple(scenario.users.splitlines(keepends=True))
        for rest in _without_one(lines):
            yield replace(scenario, users=b"".join(rest))
    yield from _each(scenario, "tables", _smaller_tables)
    yield from _each(scenario, "calls", _smaller_calls)
    names = {table.folder for table in scenario.tables} | {each.name for each in scenario.strays}
    for name in (name for name in _NAMES if name not in names):
        yield from _each(scenario, "tables", partial(_renamed, name))
    yield _with_small_times(scenario)


def _smaller_tables(table: TableHistory) -> Iterator[TableHistory]:
    sound = TableHistory(table.name, table.versions)
    yield sound
    for field in ("lock", "log", "current", "mode", "stray", "lines", "obstacles"):
        yield replace(table, **{field: getattr(sound, field)})
    for field in ("obstacles", "lines", "versions"):
        for rest in _without_one(getattr(table, field)):
            yield replace(table, **{field: rest})
    yield from _each(table, "versions", _smaller_versions)
    if table.lock == "throughout":
        yield replace(table, lock="a-moment")


def _renamed(name: str, table: TableHistory) -> Iterator[TableHistory]:
    if table.name not in _NAMES[: _NAMES.index(name)]:
        yield replace(table, name=name)


def _smaller_versions(version: Version) -> Iterator[Version]:
    yield Version(version.at, version.edits)
    for edits in _without_one(version.edits):
        yield replace(version, edits=edits)
    yield from _each(version, "edits", _smaller_edits)


def _smaller_edits(edit: Edit) -> Iterator[Edit]:
    for field, least in {"seek": 0, "mixed": b"", "keep": 0, "extra": b"a\n"}.items():
        yield replace(edit, **{field: least})


def _smaller_calls(call: Call) -> Iterator[Call]:
    yield replace(call, at=0)
    if isinstance(call, Restore):
        yield replace(call, of_call=0)
        yield replace(call, before=False)
        for target in (1, 0):
            yield replace(call, target=target)


def _with_small_times(scenario: Scenario) -> Scenario:
    """Return the scenario with its times replaced by 1, 2, 3 … in the same order."""
    stamps = sorted({version.at for table in scenario.tables for version in table.versions})
    small = {stamp: number for number, stamp in enumerate(stamps, 1)}
    tables = tuple(
        replace(table, versions=tuple(replace(v, at=small[v.at]) for v in table.versions))
        for table in scenario.tables
    )
    calls = tuple(
        replace(call, target=bisect_right(stamps, call.target))
        if isinstance(call, Restore)
        else call
        for call in scenario.calls
    )
    return replace(scenario, tables=tables, calls=calls)


def _each(whole: Any, field: str, smaller: Callable[[Any], Iterator[Struct]]) -> Iterator[Any]:
    """Yield `whole` with one of its parts smaller."""
    parts = getattr(whole, field)
    for number, part in enumerate(parts):
        for less in smaller(part):
            yield replace(whole, **{field: (*parts[:number], less, *parts[number + 1 :])})


def _without_one(parts: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    """Yield the first part alone, the last alone, and all but one, from the end."""
    if len(parts) > 2:
        yield parts[:1]
        yield parts[-1:]
    for number in reversed(range(len(parts))):
        yield parts[:number] + parts[number + 1 :]
