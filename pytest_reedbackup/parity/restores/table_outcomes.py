"""The outcomes that contract `last` allows for one table in a restore ("restore" 2), step by step.

Which version is restored, or which error a table has by its own files, is worked
out in `checks.last_outcomes`. Here it is what else the steps do, and what stands
in their way: locks that are held, other things in the places of files, symlinks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.last_outcomes import Failed, Restored, Skipped, expected_outcome
from pytest_reedbackup.databases.edits import UPDATE
from pytest_reedbackup.implementations.json_outcomes import ok
from pytest_reedbackup.parity.changes import describe_path
from pytest_reedbackup.parity.observations import ExpectedLine, error_line
from pytest_reedbackup.parity.restores.model import RestoreContext, TableOutcome
from pytest_reedbackup.parity.restores.observe import appended_line
from pytest_reedbackup.views.tables import (
    IS_A_FOLDER,
    NO_FOLDER,
    NO_SUCH_FILE,
    TableFolder,
    Unreadable,
)

LOCK_TAKEN = (
    "Failed to acquire lock after 50 attempts: Resource temporarily unavailable (os error 11)"
)
_ANY_IO_ERROR = re.compile(r"error IoError .*")
_TEMPORARY = re.compile(r"rollback(_[0-9]+)?\.tmp|current\.new\.tmp", re.ASCII)
_NEW = "current.new.tmp"


def table_outcomes(context: RestoreContext, table: TableFolder) -> list[TableOutcome]:
    """Return all outcomes that the contract allows for a table, each once."""
    restore = _TableRestore(context, table)
    outcomes = list(restore.outcomes())
    if "D17" in context.mended and restore.unopened_links:
        refusal = TableOutcome(_ANY_IO_ERROR, decision="refused")
        outcomes += [refusal, replace(refusal, makes_lock=not restore.has(".lock"))]
    return list(dict.fromkeys(outcomes))


class _TableError(Exception):
    """An error ends the restore of the table."""

    def __init__(self, report: ExpectedLine) -> None:
        super().__init__(report)
        self.report = report


@dataclass
class _Effects:
    """What the steps so far have done in one table's folder."""

    left_behind: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    changed: dict[str, bytes] = field(default_factory=dict)
    """The names of temporary files that were there, and their new content."""
    written_through: dict[str, bytes] = field(default_factory=dict)
    makes_lock: bool = False
    is_locked: bool = False


@dataclass
class _TableRestore:
    """The steps of one table's restore, done on paper."""

    context: RestoreContext
    table: TableFolder
    unopened_links: set[str] = field(default_factory=set)
    """The names of the symlinks that it came upon, and did not write through (D17)."""

    def has(self, name: str) -> bool:
        """Say whether there is anything of this name in the table's folder."""
        return os.path.lexists(self.table.path / name)

    def outcomes(self) -> Iterator[TableOutcome]:
        """Yield the outcomes, some perhaps repeatedly."""
        expected = expected_outcome(self.table, self.context.target, self.context.mended)
        if isinstance(expected, Skipped):
            yield TableOutcome("skipped")
        elif isinstance(expected, Failed) and not expected.leaves_file:
            yield TableOutcome(self._error(expected.kind, **expected.fields))
        else:
            yield from self._by_steps(expected)

    def _by_steps(self, expected: Restored | Failed) -> Iterator[TableOutcome]:
        """Yield the outcomes of a restore that has begun to write temporary files."""
        effects = _Effects()
        in_memory = "D10" in self.context.mended
        try:
            if not in_memory:
                self._rebuild(effects, fails=isinstance(expected, Failed))
            if isinstance(expected, Failed):
                raise _TableError(self._error(expected.kind, **expected.fields))
            self._lock(effects)
            self._write_new_content(effects, expected.content, in_memory)
        except _TableError as error:
            yield from self._failed(effects, error.report)
        else:
            yield from self._written(effects, expected)

    def _contents(self) -> list[bytes]:
        """Return the versions' contents up to the restored one, or to the first unreadable."""
        contents: list[bytes] = []
        version = self.table.newest_at_or_before(self.context.target)
        try:
            for content in self.table.contents(version.timestamp) if version else ():
                contents.append(content)
        except Unreadable:
            pass
        return contents

    def _failed(self, effects: _Effects, report: ExpectedLine) -> Iterator[TableOutcome]:
        yield self._outcome(effects, report)
        if effects.left_behind.pop(_NEW, None):
            # The contract does not say whether it stays behind where current.csv cannot be read.
            yield self._outcome(effects, report, decision="nothing left")
        if self.context.code.reason and "D15" in self.context.mended and effects.is_locked:
            yield self._without_code(effects)

    def _rebuild(self, effects: _Effects, *, fails: bool) -> None:
        """Write each version to a temporary file, until the last one has been read."""
        contents = self._contents()
        names = ["rollback.tmp", *(f"rollback_{n}.tmp" for n in range(1, len(contents)))]
        for number, (name, content) in enumerate(zip(names, contents, strict=True)):
            # What the baseline calls the writing of later ones, its document does not say.
            operation = "" if number else "copy_init_delta"
            self._write(effects, name, content, operation)
            if number:
                self._remove(effects, names[number - 1])
        if not fails:
            self._remove(effects, names[-1])

    def _lock(self, effects: _Effects) -> None:
        """Make the lock file if there is none, and take the lock."""
        effects.is_locked = True
        lock = self.table.path / ".lock"
        if not os.path.lexists(lock):
            effects.makes_lock = True
        elif lock.is_symlink() and "D17" in self.context.mended:
            self.unopened_links.add(lock.name)
        elif reason := _obstacle(lock):
            raise self._io_error("create_lock_file", reason)
        elif not lock.exists():
            effects.written_through[self.context.before.resolve(lock)] = b""
        if self.context.run.locks.get(self.table.name) == "throughout" and lock.is_file():
            raise self._io_error("acquire_write_lock", LOCK_TAKEN)

    def _write_new_content(self, effects: _Effects, content: bytes, in_memory: bool) -> None:
        """Write the new content to a temporary file, from which the delta is made."""
        self._write(effects, _NEW, content, "write_temp_new")
        if self.table.current.is_dir():
            if in_memory:
                self._remove(effects, _NEW)
            raise self._io_error(f"read_old_file: {self.table.current}", IS_A_FOLDER)
        self._remove(effects, _NEW)

    def _written(self, effects: _Effects, expected: Restored) -> Iterator[TableOutcome]:
        current, mended, code = self.table.current, self.context.mended, self.context.code
        old = current.read_bytes() if current.exists() else None
        new = None if old == expected.content else expected.content
        if code.reason and "D15" in mended:
            yield self._without_code(effects)
            return
        if code.reason:
            yield self._outcome(effects, self._no_code(), current=new, orphans=1)
            return
        version = self.context.run.version_name(self.table.reported_name, expected.timestamp)
        restored = self._outcome(
            effects,
            f"restored to {version}",
            current=new,
            log=appended_line(UPDATE, code.code, glued=expected.glued),
            asks_for_code=True,
        )
        yield restored
        if "D10" in mended:
            files = {path.name for path in self.table.path.iterdir() if not path.is_dir()}
            swept = frozenset(filter(_TEMPORARY.fullmatch, files))
            yield replace(restored, removed=swept, decision="swept")
            yield replace(restored, removed=frozenset(), decision="nothing removed")
        elif links := frozenset(filter(_TEMPORARY.fullmatch, self.unopened_links)):
            removed = restored.removed | links
            yield replace(restored, removed=removed, decision="links removed")

    def _without_code(self, effects: _Effects) -> TableOutcome:
        """Return the outcome of an error about the code before anything is written (D15)."""
        return TableOutcome(self._no_code(), makes_lock=effects.makes_lock, decision="code first")

    def _no_code(self) -> str:
        reason = self.context.code.reason
        return self._error("IoError", operation="append_users_dict", reason=reason)

    def _outcome(self, effects: _Effects, report: ExpectedLine, **more: Any) -> TableOutcome:
        """Return the outcome with all effects so far."""
        folder = self.context.before.resolve(self.table.path)
        changed = (describe_path(f"{folder}/{name}") for name in sorted(effects.changed))
        return TableOutcome(
            report,
            makes_lock=effects.makes_lock,
            left_behind=tuple(effects.left_behind.items()),
            removed=frozenset(effects.removed),
            other_changes=tuple(
                re.compile(f"changed besides: {re.escape(path)}: .*") for path in changed
            ),
            written_through=tuple(effects.written_through.items()),
            **more,
        )

    def _write(self, effects: _Effects, name: str, content: bytes, operation: str) -> None:
        """Write a temporary file, through a symlink too (D17)."""
        path = self.table.path / name
        if path.is_symlink() and "D17" in self.context.mended:
            self.unopened_links.add(name)
            return
        if reason := _obstacle(path):
            raise self._io_error(operation, reason) if operation else _TableError(_ANY_IO_ERROR)
        if path.is_symlink():
            effects.written_through[self.context.before.resolve(path)] = content
        elif path.exists():
            if path.read_bytes() != content:
                effects.changed[name] = content
        else:
            effects.left_behind[name] = content

    def _remove(self, effects: _Effects, name: str) -> None:
        """Remove a temporary file; the safe thing about D17 leaves symlinks alone."""
        effects.left_behind.pop(name, None)
        effects.changed.pop(name, None)
        is_left_alone = (self.table.path / name).is_symlink() and "D17" in self.context.mended
        if self.has(name) and not is_left_alone:
            effects.removed.add(name)

    def _io_error(self, operation: str, reason: str) -> _TableError:
        return _TableError(self._error("IoError", operation=operation, reason=reason))

    def _error(self, kind: str, **fields: object) -> str:
        return error_line(ok({"kind": kind, **fields}, self.context.run.base)["ok"])


def _obstacle(path: Path) -> str:
    """Return why no file can be opened for writing there, through symlinks; empty if one can."""
    real = Path(os.path.realpath(path))
    if real.is_dir():
        return IS_A_FOLDER
    if real.exists() or real.parent.is_dir():
        return ""
    return NO_FOLDER if real.parent.is_file() else NO_SUCH_FILE
