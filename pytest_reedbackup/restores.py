"""What a restore under contract `last` must come to, table by table, and holding one to it."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pytest_reedbackup.databases import tables
from pytest_reedbackup.databases.tables import TableFolder, Unreadable, tables_of
from pytest_reedbackup.databases.tree import Tree
from pytest_reedbackup.promises import expect, expect_same_tree, expect_that
from pytest_reedbackup.subject import Subject

UPDATE = 2
"""The action code of the version that a restore writes."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The table has the content of the version of this timestamp, as a new version."""

    timestamp: int
    content: bytes = field(repr=False)
    glued: bool = False
    """Whether the new line continues the log's last one (defect D7)."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The table has no version at or before the target, and stays as it was."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The table has this error, and stays as it was but for temporary files (defect D10)."""

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)


Fate: TypeAlias = Restored | Skipped | Failed
Fates: TypeAlias = Mapping[str, Fate]
"""By table."""


def fates(base: Path, target: int) -> dict[str, Fate]:
    """What contract `last` says must come of each table of `base`, read from its files."""
    return {name: _fate(table, target) for name, table in tables_of(base).items()}


def _fate(table: TableFolder, target: int) -> Fate:
    if not table.current.exists():
        return Failed("TableNotFound", {"name": table.name})
    try:
        version = table.newest_at_or_before(target)
        if version is None:
            return Skipped()
        content = table.content(version.timestamp)
    except Unreadable as error:
        return Failed(error.kind, error.fields)
    return Restored(version.timestamp, content, glued=not table.log.read_bytes().endswith(b"\n"))


def expect_restore(subject: Subject, base: Path, target: int, expected: Fates) -> None:
    """A restore of `base` to `target` (nanoseconds) must report and do what `expected` says."""
    before = Before.read(base)
    expect_report(subject.restored(base, target), target, expected)
    before.expect_changes(expected)


@dataclass(frozen=True)
class Before:
    """A base as it is before a restore, to see what the restore does."""

    base: Path
    tree: Tree
    files: Mapping[str, bytes]
    """The tables' current.csv and version.log, by path."""
    system: int
    """The code of the user system."""

    @classmethod
    def read(cls, base: Path) -> Before:
        """The base as it is now."""
        files = {
            f"tables/{name}/{path.name}": path.read_bytes()
            for name, table in tables_of(base).items()
            for path in (table.current, table.log)
            if path.is_file()
        }
        return cls(base, _whole(base), files, tables.user_code(base, "system"))

    def expect_changes(self, expected: Fates) -> None:
        """Just the tables that were to be restored must have changed, and only as they must."""
        changed: set[str] = set()
        for name, fate in expected.items():
            if isinstance(fate, Restored):
                changed |= self._expect_restored(name, fate)
        after = _whole(self.base)
        free = changed | {name for name in after.entries if self._may_appear(name)}
        expect_same_tree(
            "everything else in the base", after.without(free), self.tree.without(free)
        )

    def _expect_restored(self, name: str, fate: Restored) -> set[str]:
        """Holds one table to its new version; gives the paths that this changed."""
        folder = f"tables/{name}"
        current, log = f"{folder}/current.csv", f"{folder}/version.log"
        content = self._read(current)
        expect_that(
            content == fate.content,
            f"current.csv of {name}",
            expected=f"the {len(fate.content)} bytes of version {fate.timestamp}",
            found=content,
        )
        line = self._appended_line(log, fate)
        delta = f"{folder}/{line.timestamp}.bsdiff"
        expect(f"the mode of {name}'s files", self._modes(current, log), self._modes_before(name))
        expect_that(
            delta not in self.tree.entries
            and _gives(self._read(delta), line.size, self.files[current], content),
            f"the new {delta}",
            expected=f"a delta of {line.size} bytes from the content before to the restored one",
            found=f"{len(self._read(delta))} bytes",
        )
        return {current, log, delta}

    def _appended_line(self, log: str, fate: Restored) -> tables.Version:
        """The line that is new, which must be all that changed in version.log."""
        before, after = self.files[log], self._read(log)
        pattern = rb"[0-9]{1,19}\|%d\|%d\|[0-9]{1,19}\n" % (UPDATE, self.system)
        added = after[len(before) :]
        expect_that(
            after.startswith(before)
            and before.endswith(b"\n") != fate.glued
            and re.fullmatch(pattern, added) is not None,
            log,
            expected=f"one line more, timestamp|{UPDATE}|{self.system}|size"
            + (", glued to the last one" if fate.glued else ""),
            found=f"added {added!r}" if after.startswith(before) else after,
        )
        (version,) = tables.parse_log(added)
        return version

    def _read(self, path: str) -> bytes:
        """A file's content after the restore, where it must be."""
        file = self.base / path
        expect_that(file.is_file(), path, expected="a file", found="none")
        return file.read_bytes()

    def _modes(self, *paths: str) -> list[int]:
        return [stat.S_IMODE((self.base / path).stat().st_mode) for path in paths]

    def _modes_before(self, name: str) -> list[int]:
        return [
            self.tree.entries[f"tables/{name}/{path}"].mode
            for path in ("current.csv", "version.log")
        ]

    def _may_appear(self, name: str) -> bool:
        """Whether it is of what comes and goes beside the versions.

        Locks; temporary files (D10 has its own case); and a registry that was
        not there, which the adapter's duty makes.
        """
        last = name.rpartition("/")[2]
        is_new = name not in self.tree.entries
        return is_new and (last == ".lock" or last.endswith(".tmp") or name.startswith("registry"))


def expect_report(report: Any, target: int, expected: Fates) -> None:
    """A report of contract `last` must say what `expected` does; the order of tables is free."""
    expect("target_timestamp", report.target_timestamp, target)
    restored = [[n, fate.timestamp] for n, fate in expected.items() if isinstance(fate, Restored)]
    found = sorted(list(entry) for entry in report.tables_restored)
    expect("tables_restored", found, sorted(restored))
    skipped = [name for name, fate in expected.items() if isinstance(fate, Skipped)]
    expect("tables_skipped", sorted(report.tables_skipped), sorted(skipped))
    errors = {
        name: {"kind": fate.kind, **fate.fields}
        for name, fate in expected.items()
        if isinstance(fate, Failed)
    }
    expect("the tables in errors", sorted(name for name, _ in report.errors), sorted(errors))
    for name, error in report.errors:
        expect(f"the error of {name}", error, errors[name])


def _gives(stored: bytes, size: int, old: bytes, new: bytes) -> bool:
    """Whether a delta has the size that its log line says, and makes `new` of `old`."""
    try:
        return len(stored) == size and tables.patched(old, tables.decompressed(stored)) == new
    except Unreadable:
        return False


def _whole(base: Path) -> Tree:
    return Tree.read(base, exclude=(".",))
