"""Restore one side's base, and observe what came of each table, the registry and all else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.databases.held_locks import held
from pytest_reedbackup.generate.last.scenarios import Restore
from pytest_reedbackup.implementations.json_outcomes import outcome_of
from pytest_reedbackup.parity.changes import (
    OTHERWISE,
    describe_changes,
    describe_join,
    describe_path,
    other_changes,
    short_digest,
)
from pytest_reedbackup.parity.observations import (
    OUTCOME,
    Observation,
    error_line,
    error_lines,
    table_heading,
)
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import (
    TableFolder,
    Unreadable,
    Version,
    added_version,
    is_delta_between,
    parse_log,
    tables_of,
)
from pytest_reedbackup.views.tree import printable
from pytest_reedbackup.views.umask import current_umask

NOT_REPORTED = "not in the report"
_DELTA = re.compile(r"[0-9]+\.bsdiff", re.ASCII)


def observe_restore(run: SideRun, call: Restore, number: int) -> Observation:
    """Make call `number` on one side, and return what came of it."""
    target, target_text = run.target(call), run.describe_target(call)
    before, tables = Snapshot.read(run.base.parent), tables_in(run.base)
    with held(run.held_locks()):
        answer = run.implementation.restore_point_in_time(run.base, target)
    effects = _Effects(run, number, before, Snapshot.read(run.base.parent))
    outcome = outcome_of(answer, run.base)
    reported = _reported(run, outcome)
    observation = {OUTCOME: _outcome(outcome, target, target_text)}
    for name, table in tables.items():
        report = reported.pop(table.reported_name, [NOT_REPORTED])
        observation[table_heading(name)] = (*report, *effects.on_table(name, table))
    for name, report in reported.items():
        observation[table_heading(name)] = (*report, "there is no such table")
    return {**observation, **other_changes(before, effects.after, effects.explained)}


def tables_in(base: Path) -> dict[str, TableFolder]:
    """Return the tables by their folders' names; none where there is no folder tables/."""
    return tables_of(base) if (base / "tables").is_dir() else {}


@dataclass
class _Effects:
    """A base before and after call `number`."""

    run: SideRun
    number: int
    before: Snapshot
    after: Snapshot
    explained: set[str] = field(default_factory=set)
    """The paths whose changes the lines so far are about."""

    def on_table(self, name: str, table: TableFolder) -> Iterator[str]:
        """Yield the lines about one table's files."""
        current, current_after = self._contents(table.current)
        log, log_after = self._contents(table.log)
        yield f"current.csv: {_replaced(current, current_after, self._short_digest(table.current))}"
        line, version = _log_line(name, log or b"", log_after)
        yield f"version.log: {line}"
        if version is not None:
            yield from self._new_version(table, version, log or b"", current, current_after)
        yield from self._orphans(table)
        yield from self._lock(table)
        yield from self._temporary(table)
        folder = f"{self.before.resolve(table.path)}/"
        rest = {
            path
            for path in self.before.changed(self.after) - self.explained
            if path.startswith(folder)
        }
        self.explained |= rest
        yield from (
            f"changed besides: {line}" for line in describe_changes(self.before, self.after, rest)
        )

    def _contents(self, path: Path) -> tuple[bytes | None, bytes | None]:
        """Return a file's content before and after, through symlinks; lines explain its change."""
        place = self.before.resolve(path)
        was, became = self.before.entries.get(place), self.after.entries.get(place)
        is_kept = was is None or (was.kind == "file" and became and was.mode == became.mode)
        if became and became.kind == "file" and is_kept:
            self.explained.add(place)
        return self.before.content(path), self.after.content(path)

    def _short_digest(self, path: Path) -> str:
        entry = self.after.entries.get(self.after.resolve(path))
        return short_digest(entry.content) if entry else ""

    def _new_version(
        self,
        table: TableFolder,
        version: Version,
        log: bytes,
        old: bytes | None,
        content: bytes | None,
    ) -> Iterator[str]:
        """Yield a line for each thing that is wrong with a new version; none as a rule."""
        key = (table.reported_name, version.timestamp)
        self.run.version_names[key] = f"the version that call {self.number} made"
        self.run.written.setdefault(self.number, []).append(version.timestamp)
        self.run.codes.append(version.user)
        path = self.after.resolve(table.delta(version.timestamp))
        stored = self.after.files.get(path)
        if path not in self.before.entries and stored is not None:
            self.explained.add(path)
            if self.after.entries[path].mode != 0o666 & ~current_umask():
                yield f"the new version: its delta has mode {self.after.entries[path].mode:04o}"
        try:
            earlier = parse_log(log)
        except Unreadable:
            yield "the new version: it is in a log that cannot be read"
            return
        if any(version.timestamp <= each.timestamp for each in earlier):
            yield "the new version: its timestamp is not later than all others"
        if stored is None or content is None:
            yield "the new version: it has no delta, or there is no current.csv"
            return
        # Without a log before it, it may be stored as the first version of a table is.
        is_raw = not log and stored == content
        if not is_raw and not is_delta_between(old or b"", content, stored, version.size):
            yield (
                "the new version: its delta does not lead to current.csv,"
                " or has not the size that the log says"
            )

    def _new_in(self, table: TableFolder) -> dict[str, str]:
        """Return the paths of the files that are new in a table's folder, by name."""
        folder = f"{self.before.resolve(table.path)}/"
        return {
            path[len(folder) :]: path
            for path in sorted(self.after.files.keys() - self.before.entries.keys())
            if path.startswith(folder) and "/" not in path[len(folder) :]
        }

    def _orphans(self, table: TableFolder) -> Iterator[str]:
        orphans = {
            path
            for name, path in self._new_in(table).items()
            if _DELTA.fullmatch(name) and path not in self.explained
        }
        self.explained |= orphans
        if orphans:
            yield f"deltas that no log line names: {len(orphans)}"

    def _lock(self, table: TableFolder) -> Iterator[str]:
        path = self._new_in(table).get(".lock")
        if path is not None and not self.after.files[path]:
            self.explained.add(path)
            yield f".lock: made, mode {self.after.entries[path].mode:04o}"

    def _temporary(self, table: TableFolder) -> Iterator[str]:
        """Yield lines about temporary files: first those that are new, then those that are gone."""
        for name, path in self._new_in(table).items():
            if name.endswith(".tmp"):
                self.explained.add(path)
                digest = short_digest(self.after.entries[path].content)
                yield f"left behind: {describe_path(path)}, {digest}"
        folder = f"{self.before.resolve(table.path)}/"
        gone = [
            path
            for path in sorted(self.before.entries.keys() - self.after.entries.keys())
            if path.startswith(folder) and path.endswith(".tmp") and "/" not in path[len(folder) :]
        ]
        self.explained |= set(gone)
        yield from (f"removed: {describe_path(path)}" for path in gone)


def _replaced(before: bytes | None, after: bytes | None, digest: str) -> str:
    if before == after:
        return "as before"
    return "gone" if after is None else f"other content, {digest}"


def appended_line(action: int, user: int, *, glued: bool = False) -> str:
    """Return what there is to say about a version.log that has one line more."""
    return f"one line more, action {action}, user {user}" + (
        ", glued to the last one" if glued else ""
    )


def _log_line(table: str, before: bytes, after: bytes | None) -> tuple[str, Version | None]:
    """Return what there is to say about version.log, and the version that is new."""
    if after is None:
        return ("gone" if before else "as before"), None
    if after == before:
        return "as before", None
    added = added_version(before, after)
    if added is None:
        return f"tables/{printable(table)}/version.log {OTHERWISE}", None
    line = appended_line(added.version.action, added.version.user)
    return line + describe_join(before, added.separator), added.version


def _outcome(outcome: Mapping[str, Any], target: int, target_text: str) -> tuple[str, ...]:
    if "err" in outcome:
        return error_lines(outcome)
    reported = outcome["ok"]["target_timestamp"]
    return (report_line(target_text if reported == target else str(reported)),)


def report_line(target: str) -> str:
    """Return the line about a report with this target."""
    return f"a report with target_timestamp {target}"


def _reported(run: SideRun, outcome: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return what the report says of each table: several lines if it names one repeatedly."""
    report = outcome.get("ok", {"tables_restored": [], "tables_skipped": [], "errors": []})
    lines: dict[str, list[str]] = {}
    for name, timestamp in report["tables_restored"]:
        lines.setdefault(name, []).append(f"restored to {run.version_name(name, timestamp)}")
    for name in report["tables_skipped"]:
        lines.setdefault(name, []).append("skipped")
    for name, error in report["errors"]:
        lines.setdefault(name, []).append(error_line(error))
    return {name: sorted(each) for name, each in lines.items()}
