"""restore_point_in_time: what it did to each table, the registry, and all else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.databases.held_locks import held
from pytest_reedbackup.generate.last.scenarios import Restore
from pytest_reedbackup.implementations.json_outcomes import outcome_of
from pytest_reedbackup.parity.facts import (
    OUTCOME,
    Facts,
    Side,
    heading_of,
    in_words,
    refused,
)
from pytest_reedbackup.parity.surroundings import (
    OTHERWISE,
    changes,
    describe_join,
    described_path,
    sha,
    surroundings,
)
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


def observed(side: Side, call: Restore, number: int) -> Facts:
    """Call `number` is made; what came of it."""
    target, target_words = side.target(call), side.target_in_words(call)
    seen = _Seen(side, number, Snapshot.read(side.base.parent), tables_in(side.base))
    with held(side.held_locks()):
        answer = side.implementation.restore_point_in_time(side.base, target)
    outcome = outcome_of(answer, side.base)
    seen.after = Snapshot.read(side.base.parent)
    reported = _reported(side, outcome)
    facts = {
        OUTCOME: _outcome(outcome, target, target_words),
        **{
            heading_of(name): (
                *reported.pop(table.reported_name, [NOT_REPORTED]),
                *seen.table(name, table),
            )
            for name, table in seen.tables.items()
        },
        **{
            heading_of(name): (*lines, "there is no such table") for name, lines in reported.items()
        },
    }
    return {**facts, **surroundings(seen.before, seen.after, seen.claimed)}


def tables_in(base: Path) -> dict[str, TableFolder]:
    """The tables, by their folders' names; none where there is no folder tables/."""
    return tables_of(base) if (base / "tables").is_dir() else {}


@dataclass
class _Seen:
    """A base before and after a call, and what of its changes is explained."""

    side: Side
    number: int
    before: Snapshot
    tables: Mapping[str, TableFolder]
    after: Snapshot = field(init=False)
    claimed: set[str] = field(default_factory=set)

    def table(self, name: str, table: TableFolder) -> Iterator[str]:
        """The lines about one table's files."""
        current, current_after = self._contents(table.current)
        log, log_after = self._contents(table.log)
        yield f"current.csv: {_replaced(current, current_after, self._sha(table.current))}"
        line, made = _appended(name, log or b"", log_after)
        yield f"version.log: {line}"
        if made is not None:
            yield from self._new_version(table, made, log or b"", current, current_after)
        yield from self._orphans(table)
        yield from self._lock(table)
        yield from self._temporary(table)
        folder = f"{self.before.resolve(table.path)}/"
        rest = {
            path
            for path in self.before.changed(self.after) - self.claimed
            if path.startswith(folder)
        }
        self.claimed |= rest
        yield from (f"changed besides: {line}" for line in changes(self.before, self.after, rest))

    def _contents(self, path: Path) -> tuple[bytes | None, bytes | None]:
        """A file's content before and after, through symlinks; a change of it is explained."""
        home = self.before.resolve(path)
        one, other = self.before.files.get(home), self.after.files.get(self.after.resolve(path))
        was, became = self.before.entries.get(home), self.after.entries.get(home)
        is_kept = was is None or (was.kind == "file" and became and was.mode == became.mode)
        if became and became.kind == "file" and is_kept:
            self.claimed.add(home)
        return one, other

    def _sha(self, path: Path) -> str:
        entry = self.after.entries.get(self.after.resolve(path))
        return sha(entry.content) if entry else ""

    def _new_version(
        self,
        table: TableFolder,
        made: Version,
        log: bytes,
        old: bytes | None,
        content: bytes | None,
    ) -> Iterator[str]:
        """What is wrong with a new version; nothing as a rule."""
        self.side.made[table.reported_name, made.timestamp] = (
            f"the version that call {self.number} made"
        )
        self.side.written.setdefault(self.number, []).append(made.timestamp)
        self.side.codes.append(made.user)
        path = self.after.resolve(table.delta(made.timestamp))
        stored = self.after.files.get(path)
        if path not in self.before.entries and stored is not None:
            self.claimed.add(path)
            if self.after.entries[path].mode != 0o666 & ~current_umask():
                yield f"the new version: its delta has mode {self.after.entries[path].mode:04o}"
        try:
            earlier = parse_log(log)
        except Unreadable:
            yield "the new version: it is in a log that cannot be read"
            return
        if any(made.timestamp <= version.timestamp for version in earlier):
            yield "the new version: its timestamp is not later than all others"
        if stored is None or content is None:
            yield "the new version: it has no delta, or there is no current.csv"
        elif not is_delta_between(old or b"", content, stored, made.size) and (
            log or stored != content
        ):
            yield (
                "the new version: its delta does not lead to current.csv,"
                " or has not the size that the log says"
            )

    def _new_in(self, table: TableFolder) -> dict[str, str]:
        """Files that are new in a table's folder, by name, with their paths."""
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
            if _DELTA.fullmatch(name) and path not in self.claimed
        }
        self.claimed |= orphans
        if orphans:
            yield f"deltas that no log line names: {len(orphans)}"

    def _lock(self, table: TableFolder) -> Iterator[str]:
        path = self._new_in(table).get(".lock")
        if path is not None and not self.after.files[path]:
            self.claimed.add(path)
            yield f".lock: made, mode {self.after.entries[path].mode:04o}"

    def _temporary(self, table: TableFolder) -> Iterator[str]:
        """Temporary files that are new, and those that were there and are gone."""
        for name, path in self._new_in(table).items():
            if name.endswith(".tmp"):
                self.claimed.add(path)
                left = f"{described_path(path)}, {sha(self.after.entries[path].content)}"
                yield f"left behind: {left}"
        folder = f"{self.before.resolve(table.path)}/"
        gone = [
            path
            for path in sorted(self.before.entries.keys() - self.after.entries.keys())
            if path.startswith(folder) and path.endswith(".tmp") and "/" not in path[len(folder) :]
        ]
        self.claimed |= set(gone)
        yield from (f"removed: {described_path(path)}" for path in gone)


def _replaced(before: bytes | None, after: bytes | None, digest: str) -> str:
    if before == after:
        return "as before"
    return "gone" if after is None else f"other content, {digest}"


def appended_line(action: int, user: int, *, glued: bool = False) -> str:
    """The line about a version.log that has one more."""
    return f"one line more, action {action}, user {user}" + (
        ", glued to the last one" if glued else ""
    )


def _appended(table: str, before: bytes, after: bytes | None) -> tuple[str, Version | None]:
    """The line about version.log, and the version that is new."""
    if after is None:
        return ("gone" if before else "as before"), None
    if after == before:
        return "as before", None
    added = added_version(before, after)
    if added is None:
        return f"tables/{printable(table)}/version.log {OTHERWISE}", None
    made = added.version
    return appended_line(made.action, made.user) + describe_join(before, added.separator), made


def _outcome(outcome: Mapping[str, Any], target: int, in_words: str) -> tuple[str, ...]:
    if "err" in outcome:
        return refused(outcome)
    reported = outcome["ok"]["target_timestamp"]
    return (reported_target(in_words if reported == target else str(reported)),)


def reported_target(words: str) -> str:
    """The line about a report."""
    return f"a report with target_timestamp {words}"


def _reported(side: Side, outcome: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What the report says of each table; each time, where it is in it more than once."""
    report = outcome.get("ok", {"tables_restored": [], "tables_skipped": [], "errors": []})
    said: dict[str, list[str]] = {}
    for name, timestamp in report["tables_restored"]:
        said.setdefault(name, []).append(f"restored to {side.version(name, timestamp)}")
    for name in report["tables_skipped"]:
        said.setdefault(name, []).append("skipped")
    for name, error in report["errors"]:
        said.setdefault(name, []).append(f"error {in_words(error)}")
    return {name: sorted(lines) for name, lines in said.items()}
