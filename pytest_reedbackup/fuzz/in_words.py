"""A scenario as a person wants to read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import asdict

from pytest_reedbackup.fuzz.scenarios import Call, Restore, Scenario, TableHistory


def call_in_words(call: Call) -> str:
    """A call as it is written in a program."""
    if isinstance(call, Restore):
        return f"restore_point_in_time(target_timestamp={call.target})"
    return f"{type(call).__struct_config__.tag}()"


def scenario_in_words(scenario: Scenario, base: Path) -> list[str]:
    """The tables with their logs, the damage, and the calls; `base` is the built database."""
    lines = []
    if scenario.tables_folder != "sound":
        lines.append(f"tables/ is {scenario.tables_folder.replace('file', 'a file')}")
    elif not scenario.tables:
        lines.append("no tables")
    else:
        for table in scenario.tables:
            lines += _table(table, base / "tables" / table.name)
    lines += [f"tables/{stray.name} is no table" for stray in scenario.strays]
    lines += [f"backups/{backup.name}: {backup.kind}" for backup in scenario.backups]
    if scenario.system:
        lines.append(f"registry/users.dict: system has code {scenario.system}")
    lines += [
        f"call {number}: {call_in_words(call)}" for number, call in enumerate(scenario.calls, 1)
    ]
    return lines


def _table(table: TableHistory, folder: Path) -> Iterator[str]:
    yield f"table {table.name}"
    log = folder / "version.log"
    if log.is_file():
        lines = log.read_bytes().splitlines(keepends=True)
        yield "  version.log:" + ("" if lines else " empty")
        yield from (f"    {repr(line)[2:-1]}" for line in lines)
    else:
        yield f"  version.log: {'a folder' if log.is_dir() else 'none'}"
    for path in sorted(folder.glob("*.bsdiff")):
        yield f"  {path.name}: {path.stat().st_size} bytes"
    yield from (f"  damage: {words}" for words in _damage(table))


def _damage(table: TableHistory) -> Iterator[str]:
    for number, version in enumerate(table.versions, 1):
        if version.delta is not None:
            how = ", ".join(f"{name} {value!r}" for name, value in asdict(version.delta).items())
            yield f"delta of version {number}: {version.delta.__struct_config__.tag} {how}".rstrip()
    if table.line is not None and table.versions:
        yield f"line {1 + table.line[0] % len(table.versions)} of the log: {table.line[1]}"
    if table.log:
        yield f"version.log: {table.log}"
    if table.current != "sound":
        yield f"current.csv: {table.current}"
