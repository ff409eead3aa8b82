"""Hold a restore under contract `last` to what it must report and do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.checks.last_outcomes import (
    ExpectedOutcomes,
    Failed,
    Restored,
    Skipped,
)
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases.edits import UPDATE
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import Version, added_version, is_delta_between
from pytest_reedbackup.views.users import system_code


def expect_restore(
    implementation: Implementation, base: Path, target: int, expected: ExpectedOutcomes
) -> None:
    """Restore `base` to `target` (nanoseconds), which must report and do what `expected` says.

    Temporary files are left to the cases of defect D10.
    """
    before, system = Snapshot.read(base), system_code(base)
    expect_report(implementation.restored(base, target), target, expected)
    _Restore(before, Snapshot.read(base), system).expect_changes(expected)


def expect_report(report: Any, target: int, expected: ExpectedOutcomes) -> None:
    """A report of contract `last` must say what `expected` does; the order of tables is free."""
    expect("target_timestamp", report.target_timestamp, target)
    restored = [[n, each.timestamp] for n, each in expected.items() if isinstance(each, Restored)]
    reported = sorted(list(entry) for entry in report.tables_restored)
    expect("tables_restored", reported, sorted(restored))
    skipped = [name for name, each in expected.items() if isinstance(each, Skipped)]
    expect("tables_skipped", sorted(report.tables_skipped), sorted(skipped))
    errors = {
        name: {"kind": each.kind, **each.fields}
        for name, each in expected.items()
        if isinstance(each, Failed)
    }
    expect("the tables in errors", sorted(name for name, _ in report.errors), sorted(errors))
    for name, error in report.errors:
        expect(f"the error of {name}", error, errors[name])


@dataclass(frozen=True)
class _Restore:
    """A base before and after a restore."""

    before: Snapshot
    after: Snapshot
    system: int
    """The code of the user system."""

    def expect_changes(self, expected: ExpectedOutcomes) -> None:
        """Just the tables that were to be restored must have changed, and only as they must."""
        changed: set[str] = set()
        for name, outcome in expected.items():
            if isinstance(outcome, Restored):
                changed |= self._expect_restored(name, outcome)
        names = self.after.entries.keys() | self.before.entries.keys()
        free = changed | {name for name in names if self._may_appear(name)}
        expect_same_tree(
            "everything else in the base",
            self.after.tree.without(free),
            self.before.tree.without(free),
        )

    def _expect_restored(self, name: str, outcome: Restored) -> set[str]:
        """Hold one table to its new version; return the paths that this changed."""
        folder = f"tables/{name}"
        current, log = f"{folder}/current.csv", f"{folder}/version.log"
        content = self._content(current)
        expect_that(
            content == outcome.content,
            f"current.csv of {name}",
            expected=f"the {len(outcome.content)} bytes of version {outcome.timestamp}",
            found=content,
        )
        version = self._expect_appended(log, outcome)
        delta = f"{folder}/{version.timestamp}.bsdiff"
        kept = [log] if outcome.lost else [current, log]
        modes = [self._mode(self.after, path) for path in kept]
        expect(f"the mode of {name}'s files", modes, [self._mode(self.before, p) for p in kept])
        stored = self._content(delta)
        # A lost current.csv is restored from nothing (D9).
        old = self.before.content(current) or b""
        expect_that(
            delta not in self.before.entries
            and is_delta_between(old, content, stored, version.size),
            f"the new {delta}",
            expected=f"a delta of {version.size} bytes from the content before to the restored one",
            found=f"{len(stored)} bytes",
        )
        return {current, log, delta}

    def _expect_appended(self, log: str, outcome: Restored) -> Version:
        """The log must have one line more, and nothing else changed; return its version."""
        before, after = self.before.content(log) or b"", self._content(log)
        added = added_version(before, after)
        is_ended = before.endswith(b"\n")
        separator = b"" if is_ended or outcome.glued else b"\n"
        wanted = (separator, UPDATE, self.system)
        is_right = added is not None and wanted == (
            added.separator,
            added.version.action,
            added.version.user,
        )
        expect_that(
            is_right and not (is_ended and outcome.glued),
            log,
            expected=f"one line more, timestamp|{UPDATE}|{self.system}|size"
            + (", glued to the last one" if outcome.glued else ""),
            found=f"added {after[len(before) :]!r}" if after.startswith(before) else after,
        )
        assert added is not None
        return added.version

    def _content(self, path: str) -> bytes:
        """Return a file's content after the restore, where it must be."""
        content = self.after.content(path)
        expect_that(content is not None, path, expected="a file", found="none")
        assert content is not None
        return content

    @staticmethod
    def _mode(snapshot: Snapshot, path: str) -> int:
        return snapshot.entries[snapshot.resolve(path)].mode

    def _may_appear(self, path: str) -> bool:
        """Say whether it is of what comes and goes beside the versions.

        Locks; temporary files, whether they are new or of an earlier restore;
        and a registry that was not there, which the adapter's duty makes.
        """
        is_new = path not in self.before.entries
        is_lock_or_registry = path.endswith("/.lock") or path.startswith("registry")
        return path.endswith(".tmp") or (is_new and is_lock_or_registry)
