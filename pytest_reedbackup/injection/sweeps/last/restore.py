"""A restore under contract `last`, to which something happened, and what is promised of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.implementations.answers import Answer, Answered, value_of
from pytest_reedbackup.injection.sweeps.last.scene import USERS, Scene, expect_earlier_kept
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Caller
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.views.folders import Whole, before_call
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import TableFolder, Unreadable, tables_of
from pytest_reedbackup.views.users import read_users
from reedbase_backup.types import U64_MAX

_OWN_FILES = {".lock", "current.csv", "version.log"}


@dataclass(frozen=True)
class SafeRestore:
    """A restore to the scene's first versions that loses nothing, and leaves no table in between.

    That is more than the baseline keeps (D13, D15).
    """

    implementation: LastImplementation
    scene: Scene

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave."""
        return [before_call(self.scene.base)]

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call."""
        return process.restore_point_in_time(base, self.scene.target)

    def expect_right_after(self, base: Path, answer: Answer) -> None:
        """Hold each table to what was answered: restored, or as it was."""
        expect_earlier_kept(base, self.scene)
        restored = _restored(answer)
        for name, table in tables_of(base).items():
            if name in restored:
                self._expect_restored(table)
            else:
                self._expect_as_before(base, name)

    def expect_survived(self, after: Aftermath) -> None:
        """Hold what a power cut or a kill left: each table as before or as restored."""
        expect_earlier_kept(after.base, self.scene)
        self._expect_answered(after)
        self._expect_next(after)

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the tables that it was answered of, and have the next restore succeed."""
        self._expect_answered(after)
        self._expect_next(after)

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after the next restore: all of it is what the checks of that saw."""
        expect_earlier_kept(after.base, self.scene)

    def _expect_answered(self, after: Aftermath) -> None:
        restored = _restored(after.answer) if after.answer else set()
        for name, table in tables_of(after.base).items():
            if name in restored:
                self._expect_restored(table)

    def _expect_next(self, after: Aftermath) -> None:
        """Restore each table to the newest version that it has now, which finishes what was begun.

        Then log, deltas and current.csv must agree, and nothing else be there.
        """
        histories = {name: self._history(table) for name, table in tables_of(after.base).items()}
        answer = after.process.restore_point_in_time(after.base, U64_MAX)
        report: Any = value_of(answer, "the next restore, to the newest versions")
        expect("the tables in errors of the next restore", list(report.errors), [])
        tables = tables_of(after.base)
        expect("the tables", sorted(tables), sorted(self.scene.history))
        for name, table in tables.items():
            history = histories[name]
            _expect_history(table, [*history, history[-1]])
            _expect_current(table, history[-1])
            _expect_own_files(table)
        self._expect_users(after.base)

    def _history(self, table: TableFolder) -> list[bytes]:
        """Return the contents by the log: those that there were, and at most the restored one."""
        before = list(self.scene.history[table.name])
        restored = [*before, before[0]]
        found = _contents(table)
        what = f"the versions in the log of {table.name}"
        expect_that(
            found in (before, restored),
            what,
            expected=f"the {len(before)} that there were, or those and the restored one",
            found=[len(content) for content in found],
        )
        return found

    def _expect_restored(self, table: TableFolder) -> None:
        before = self.scene.history[table.name]
        _expect_history(table, [*before, before[0]])
        _expect_current(table, before[0])

    def _expect_as_before(self, base: Path, name: str) -> None:
        """Hold a table that was not restored to be what it was, but for a new lock."""
        folder = f"tables/{name}"
        old = {p: c for p, c in self.scene.before.files.items() if p.startswith(f"{folder}/")}
        now = {f"{folder}/{p}": c for p, c in Snapshot.read(base / folder).files.items()}
        changed = sorted(p for p in old.keys() | now.keys() if old.get(p) != now.get(p))
        changed = [path for path in changed if not path.endswith("/.lock")]
        expect(f"what a restore has changed of {name}, which it answers an error of", changed, [])

    def _expect_users(self, base: Path) -> None:
        users = read_users((base / USERS).read_bytes())
        expect_that(
            users.system is not None and not users.is_damaged,
            USERS,
            expected="whole lines, and one of system",
            found=users.names,
        )


def _restored(answer: Answer) -> set[str]:
    """Return the names of the tables that a restore answers to have restored."""
    if not isinstance(answer, Answered):
        return set()
    report: Any = answer.value
    return {name for name, _ in report.tables_restored}


def _contents(table: TableFolder) -> list[bytes]:
    """Return the content of each version in the log. Raise BrokenPromise where one is bad."""
    try:
        versions = table.versions()
        return list(table.contents(versions[-1].timestamp)) if versions else []
    except Unreadable as unreadable:
        raise BrokenPromise(
            f"the versions of {table.name}",
            expected="a log and deltas that can be read",
            found=str(unreadable),
            cause=Cause.VALUE,
        ) from None


def _expect_history(table: TableFolder, expected: Sequence[bytes]) -> None:
    found = _contents(table)
    expect_that(
        found == list(expected),
        f"the versions of {table.name}, by log and deltas",
        expected=f"{len(expected)}, the last one of {len(expected[-1])} bytes",
        found=[len(content) for content in found],
    )


def _expect_current(table: TableFolder, expected: bytes) -> None:
    found = table.current.read_bytes() if table.current.is_file() else None
    expect_that(
        found == expected,
        f"current.csv of {table.name}",
        expected=f"the {len(expected)} bytes of its newest version",
        found=found,
    )


def _expect_own_files(table: TableFolder) -> None:
    """Raise BrokenPromise where anything but a table's files is in its folder."""
    deltas = {table.delta(version.timestamp).name for version in table.versions()}
    found = {path.name for path in table.path.iterdir()}
    expect(f"what else is in the folder of {table.name}", sorted(found - deltas - _OWN_FILES), [])
