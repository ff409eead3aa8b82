"""restore_point_in_time: what it did to each table, and what the model says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_reedbackup.databases.tables import (
    TableFolder,
    Unreadable,
    Version,
    parse_log,
    tables_of,
    user_code,
)
from pytest_reedbackup.databases.tree import Entry
from pytest_reedbackup.parity.facts import (
    AS_BEFORE,
    ELSEWHERE,
    OUTCOME,
    Facts,
    Side,
    elsewhere,
    in_words,
    refused,
)
from pytest_reedbackup.recordings import Appended, Effects, Observer, UnknownChange, ok, outcome_of
from pytest_reedbackup.restores import UPDATE, Failed, Fate, Restored, Skipped, fates, gives

_KEPT = ("current.csv", "version.log")
NOT_REPORTED = "not in the report"


def observed(side: Side, target: int, call: int) -> Facts:
    """Call number `call` is made; what came of it."""
    before = _Before.read(side)
    answer = side.subject.restore_point_in_time(side.base, target)
    outcome = outcome_of(answer, side.base)
    try:
        effects = before.observer.effects(outcome)
    except UnknownChange as change:
        return {OUTCOME: _outcome(outcome), ELSEWHERE: (str(change),)}
    reported, changed = _reported(side, outcome), before.observer.changed()
    return {
        OUTCOME: _outcome(outcome),
        **{
            f"table {name}": (
                *reported.get(name, [NOT_REPORTED]),
                *before.done_to(name, effects, changed, call),
            )
            for name in sorted(before.contents.keys() | reported.keys())
        },
        ELSEWHERE: elsewhere(before.touched_elsewhere(changed)),
    }


def predicted(side: Side, target: int, mended: Collection[str]) -> Facts:
    """What the model says of the call, read from the side's files before it."""
    try:
        expected = fates(side.base, target, mended)
    except Unreadable as error:
        return {OUTCOME: (f"error {in_words({'kind': error.kind, **error.fields})}",)} | {
            ELSEWHERE: AS_BEFORE
        }
    tables = {f"table {name}": _fated(side, name, fate) for name, fate in expected.items()}
    return {OUTCOME: (_ok(target),), **tables, ELSEWHERE: AS_BEFORE}


@dataclass(frozen=True)
class _Before:
    """A base as it is before the call."""

    side: Side
    observer: Observer
    contents: Mapping[str, bytes | None]
    """current.csv of each table; None where it is lost."""
    logs: Mapping[str, bytes]

    @classmethod
    def read(cls, side: Side) -> _Before:
        """The base as it is now."""
        observer = Observer(side.base)
        return cls(side, observer, _currents(side), observer.logs)

    def done_to(self, name: str, effects: Effects, changed: set[str], call: int) -> list[str]:
        """The lines about the files of one table."""
        path = f"tables/{name}/current.csv"
        appended = effects.appended.get(name)
        made = self._made(name) if appended else None
        if made is not None:
            self.side.made[name, made.timestamp] = f"the version that call {call} made"
        left = [tmp for tmp in effects.left_behind if tmp not in self.observer.before.entries]
        return _files(
            current=effects.current_sha256.get(path),
            appended=appended,
            flaw=self._flaw(name, made) if made else "",
            leftovers=[tmp for tmp in left if tmp.startswith(f"tables/{name}/")],
            touched=self._touched(name, made, changed),
        )

    def _made(self, name: str) -> Version:
        """The version whose line is new."""
        log = (self.side.base / "tables" / name / "version.log").read_bytes()
        return Version(*map(int, log[len(self.logs.get(name, b"")) :].split(b"|")))

    def _flaw(self, name: str, made: Version) -> str:
        """What is wrong with a new version; nothing as a rule."""
        table = TableFolder(self.side.base / "tables" / name)
        try:
            earlier = parse_log(self.logs.get(name, b""))
        except Unreadable:
            return "it is in a log that cannot be read"
        if any(made.timestamp <= version.timestamp for version in earlier):
            return "its timestamp is not later than all others"
        if not (table.delta(made.timestamp).is_file() and table.current.is_file()):
            return "it has no delta, or there is no current.csv"
        stored, content = table.delta(made.timestamp).read_bytes(), table.current.read_bytes()
        if not gives(stored, made.size, self.contents[name] or b"", content):
            return "its delta does not lead to current.csv, or has not the size that the log says"
        return ""

    def _touched(self, name: str, made: Version | None, changed: set[str]) -> list[str]:
        """What changed in a table's folder but should not have."""
        folder = f"tables/{name}/"
        new = {".lock", f"{made.timestamp}.bsdiff" if made else ".lock"}
        return [
            path
            for path in sorted(changed)
            if path.startswith(folder)
            and not path.endswith(".tmp")
            and not (path not in self.observer.before.entries and path[len(folder) :] in new)
            and not (path[len(folder) :] in _KEPT and self._keeps_its_mode(path))
        ]

    def _keeps_its_mode(self, path: str) -> bool:
        """Whether only a file's content is another, or it is one that was lost."""
        before: Entry | None = self.observer.before.entries.get(path)
        file = self.side.base / path
        if before is None:
            return path.endswith("current.csv")
        if before.kind != "file" or not file.is_file():
            return False
        return file.stat().st_mode & 0o7777 == before.mode

    def touched_elsewhere(self, changed: set[str]) -> list[str]:
        """What changed outside the tables' folders; a registry that was not there may appear."""
        tables = tuple(f"tables/{name}/" for name in self.contents)
        return [
            path
            for path in changed
            if not path.startswith(tables) and not self._is_new_registry(path)
        ]

    def _is_new_registry(self, path: str) -> bool:
        return path.startswith("registry") and path not in self.observer.before.entries


def _currents(side: Side) -> dict[str, bytes | None]:
    if not (side.base / "tables").is_dir():
        return {}
    return {
        name: table.current.read_bytes() if table.current.is_file() else None
        for name, table in tables_of(side.base).items()
    }


def _outcome(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    if "err" in outcome:
        return refused(outcome)
    return (_ok(outcome["ok"]["target_timestamp"]),)


def _ok(target: int) -> str:
    return f"a report with target_timestamp {target}"


def _reported(side: Side, outcome: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the report says of each table; each time, where it is in it more than once."""
    report = outcome.get("ok", {"tables_restored": [], "tables_skipped": [], "errors": []})
    said: dict[str, list[str]] = {}
    for name, timestamp in report["tables_restored"]:
        said.setdefault(name, []).append(f"restored to {side.version(name, timestamp)}")
    for name in report["tables_skipped"]:
        said.setdefault(name, []).append("skipped")
    for name, error in report["errors"]:
        said.setdefault(name, []).append(f"error {in_words(error)}")
    return said


def _fated(side: Side, name: str, fate: Fate) -> tuple[str, ...]:
    """The lines that `observed` has where a table's fate is `fate`."""
    match fate:
        case Restored(timestamp, content, glued):
            current = TableFolder(side.base / "tables" / name).current
            unchanged = current.is_file() and current.read_bytes() == content
            files = _files(
                current=None if unchanged else hashlib.sha256(content).hexdigest(),
                appended=Appended(UPDATE, user_code(side.base, "system"), glued),
            )
            return f"restored to {side.version(name, timestamp)}", *files
        case Skipped():
            return "skipped", *_files()
        case Failed(kind, fields, leftover):
            error = in_words(ok({"kind": kind, **fields}, side.base)["ok"])
            path = side.base / "tables" / name / leftover
            is_new = leftover and not path.exists()
            return f"error {error}", *_files(
                leftovers=[f"tables/{name}/{leftover}"] if is_new else []
            )


def _files(
    current: str | None = None,
    appended: Appended | None = None,
    flaw: str = "",
    leftovers: Collection[str] = (),
    touched: Collection[str] = (),
) -> list[str]:
    """What became of a table's files, in lines; as a rule there are two."""
    log = "as before"
    if appended is not None:
        log = f"one line more, action {appended.action}, user {appended.user}"
        log += ", glued to the last one" if appended.joined_to_last_line else ""
    return [
        f"current.csv: {f'other content, sha256 {current[:12]}…' if current else 'as before'}",
        f"version.log: {log}",
        *([f"the new version: {flaw}"] if flaw else []),
        *(f"left behind: {path}" for path in leftovers),
        *(f"changed besides: {path}" for path in touched),
    ]
