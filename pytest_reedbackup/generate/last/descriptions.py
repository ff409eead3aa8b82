"""Describe scenarios for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import asdict

from pytest_reedbackup.generate.last.obstacles import Obstacle, ObstacleKind
from pytest_reedbackup.generate.last.scenarios import Call, Restore, Scenario, TableHistory
from pytest_reedbackup.views.tree import printable


def describe_call(call: Call) -> str:
    """Return a call as it is written in a program."""
    clock = f", the clock at {call.at:+d} s" if call.at else ""
    if not isinstance(call, Restore):
        return f"{type(call).__struct_config__.tag}(){clock}"
    if call.of_call:
        when = f"just {'before' if call.before else 'after'} what call {call.of_call} wrote"
        return f"restore_point_in_time({when}; if nothing, {call.target}){clock}"
    return f"restore_point_in_time(target_timestamp={call.target}){clock}"


def describe_scenario(scenario: Scenario, base: Path) -> list[str]:
    """Return lines about the tables with their logs, the damage, and the calls.

    `base` is the database that was built of the scenario: the logs are read there.
    """
    lines = [] if scenario.tables else ["no tables"]
    for table in scenario.tables:
        lines += _table(table, base / "tables" / table.folder)
    lines += [f"tables/{stray.name} is no table" for stray in scenario.strays]
    lines += [f"backups/{backup.name}: {backup.kind}" for backup in scenario.backups]
    if scenario.users is not None:
        users = scenario.users.splitlines(keepends=True)
        lines += ["registry/users.dict:", *(f"  {repr(line)[2:-1]}" for line in users)]
    lines += [f"{each.path}: {describe_obstacle(each)}" for each in scenario.obstacles]
    lines += [
        f"call {number}: {describe_call(call)}" for number, call in enumerate(scenario.calls, 1)
    ]
    return lines


def describe_obstacle(each: Obstacle) -> str:
    """Return what is in the place of a file, in a few words."""
    return _OBSTACLES[each.kind]


_OBSTACLES: Mapping[ObstacleKind, str] = {
    "missing": "missing",
    "empty-file": "an empty file",
    "other-file": "a file of others",
    "folder": "an empty folder",
    "full-folder": "a folder with a file",
    "link": "a symlink to it, elsewhere in the base",
    "link-outside": "a symlink to it, outside the base",
    "dangling": "a symlink to what is missing in the base",
    "dangling-outside": "a symlink to what is missing outside the base",
    "link-to-nowhere": "a symlink into a folder that is missing",
    "read-only": "read-only",
}


def _table(table: TableHistory, folder: Path) -> Iterator[str]:
    yield f"table {printable(table.folder)}"
    log = folder / "version.log"
    if log.is_file():
        lines = log.read_bytes().splitlines(keepends=True)
        yield "  version.log:" + ("" if lines else " empty")
        yield from (f"    {repr(line)[2:-1]}" for line in lines)
    else:
        yield f"  version.log: {'a folder' if log.is_dir() else 'none'}"
    for path in sorted(folder.glob("*.bsdiff")):
        if path.is_file():
            yield f"  {path.name}: {path.stat().st_size} bytes"
    yield from (f"  damage: {words}" for words in _damage(table))


def _damage(table: TableHistory) -> Iterator[str]:
    for number, version in enumerate(table.versions, 1):
        if version.delta is not None:
            how = ", ".join(f"{name} {value!r}" for name, value in asdict(version.delta).items())
            yield f"delta of version {number}: {version.delta.__struct_config__.tag} {how}".rstrip()
    for number, name in table.lines if table.versions else ():
        yield f"line {1 + number % len(table.versions)} of the log: {name}"
    if table.log:
        yield f"version.log: {table.log}"
    if table.current != "sound":
        yield f"current.csv: {table.current}"
    for each in table.obstacles:
        yield f"{each.path or 'the folder itself'}: {describe_obstacle(each)}"
    if table.lock:
        yield f"its lock is held {table.lock.replace('-', ' ')} by somebody else"
