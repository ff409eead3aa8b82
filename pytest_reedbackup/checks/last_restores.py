"""What a restore under contract `last` must come to, table by table, and holding one to it."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.views import tables
from pytest_reedbackup.views.tables import TableFolder, Unreadable, tables_of
from pytest_reedbackup.views.tree import Tree
from pytest_reedbackup.views.users import system_code

UPDATE = 2
"""The action code of the version that a restore writes."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The table has the content of the version of this timestamp, as a new version."""

    timestamp: int
    content: bytes = field(repr=False)
    glued: bool = False
    """Whether the new line continues the log's last one (defect D7)."""
    lost: bool = False
    """Whether there was no current.csv, which only who mends defect D9 restores."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The table has no version at or before the target, and stays as it was."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The table has this error, and stays as it was but for a temporary file (defect D10)."""

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)
    leftover: str = field(default="", compare=False)
    """The name of the temporary file that is left in the table's folder."""


Fate: TypeAlias = Restored | Skipped | Failed
Fates: TypeAlias = Mapping[str, Fate]
"""By table."""


MENDABLE = ("D7", "D9", "D10")
"""The defects that a restore's outcome shows (contract `last`, "Defects seen")."""


def fates(base: Path, target: int, mended: Collection[str] = ()) -> dict[str, Fate]:
    """What contract `last` says must come of each table of `base`, read from its files.

    `mended` are the defects, by id, in whose place the safe thing must be done.
    Raises Unreadable where tables/ is missing or is no folder.
    """
    try:
        found = tables_of(base)
    except FileNotFoundError:
        raise Unreadable("NoTablesFound", {}) from None
    except NotADirectoryError as error:
        fields = {"operation": "read_tables_dir", "reason": tables.os_reason(error.errno)}
        raise Unreadable("IoError", fields) from None
    return {name: _fate(table, target, mended) for name, table in found.items()}


def _fate(table: TableFolder, target: int, mended: Collection[str]) -> Fate:
    not_found = Failed("TableNotFound", {"name": table.name})
    lost = not table.current.exists()
    if lost and "D9" not in mended:
        return not_found
    try:
        version = table.newest_at_or_before(target)
        if version is None:
            return not_found if lost else Skipped()
        content = table.content(version.timestamp)
    except Unreadable as error:
        leftover = _leftover(error) if "D10" not in mended else ""
        return not_found if lost else Failed(error.kind, error.fields, leftover)
    glued = not table.log.read_bytes().endswith(b"\n") and "D7" not in mended
    return Restored(version.timestamp, content, glued, lost)


def _leftover(error: Unreadable) -> str:
    """The temporary file of the version before the delta that could not be used."""
    if not error.delta:
        return ""
    return "rollback.tmp" if error.delta == 1 else f"rollback_{error.delta - 1}.tmp"


def expect_restore(
    implementation: Implementation, base: Path, target: int, expected: Fates
) -> None:
    """A restore of `base` to `target` (nanoseconds) must report and do what `expected` says.

    Temporary files are left to the cases of defect D10.
    """
    before = Before.read(base)
    expect_report(implementation.restored(base, target), target, expected)
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
        return cls(base, _whole(base), files, system_code(base))

    def expect_changes(self, expected: Fates) -> None:
        """Just the tables that were to be restored must have changed, and only as they must."""
        changed: set[str] = set()
        for name, fate in expected.items():
            if isinstance(fate, Restored):
                changed |= self._expect_restored(name, fate)
        after = _whole(self.base)
        names = after.entries.keys() | self.tree.entries.keys()
        free = changed | {name for name in names if self._may_appear(name)}
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
        kept = [log] if fate.lost else [current, log]
        expect(f"the mode of {name}'s files", self._modes(*kept), self._modes_before(*kept))
        expect_that(
            delta not in self.tree.entries and self._leads_to(content, name, line),
            f"the new {delta}",
            expected=f"a delta of {line.size} bytes from the content before to the restored one",
            found=f"{len(self._read(delta))} bytes",
        )
        return {current, log, delta}

    def _leads_to(self, content: bytes, name: str, line: tables.Version) -> bool:
        """Whether the new delta makes `content` of what was there before."""
        path = f"tables/{name}/{line.timestamp}.bsdiff"
        return gives(self._read(path), line.size, self._content_before(name), content)

    def _content_before(self, name: str) -> bytes:
        """What a new delta starts from: nothing, where there was no current.csv (D9)."""
        return self.files.get(f"tables/{name}/current.csv", b"")

    def _appended_line(self, log: str, fate: Restored) -> tables.Version:
        """The line that is new, which must be all that changed in version.log."""
        before, after = self.files[log], self._read(log)
        pattern = rb"[0-9]{1,19}\|%d\|%d\|[0-9]{1,19}\n" % (UPDATE, self.system)
        added = after[len(before) :]
        ends_last_line = b"" if before.endswith(b"\n") or fate.glued else b"\n"
        expect_that(
            after.startswith(before)
            and before.endswith(b"\n") <= (not fate.glued)
            and re.fullmatch(ends_last_line + pattern, added) is not None,
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

    def _modes_before(self, *paths: str) -> list[int]:
        return [self.tree.entries[path].mode for path in paths]

    def _may_appear(self, name: str) -> bool:
        """Whether it is of what comes and goes beside the versions.

        Locks; temporary files, whether they are new or of an earlier restore;
        and a registry that was not there, which the adapter's duty makes.
        """
        is_new = name not in self.tree.entries
        is_lock_or_registry = name.endswith("/.lock") or name.startswith("registry")
        return _is_tmp(name) or (is_new and is_lock_or_registry)


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


def _is_tmp(name: str) -> bool:
    return name.endswith(".tmp")


def gives(stored: bytes, size: int, old: bytes, new: bytes) -> bool:
    """Whether a delta has the size that its log line says, and makes `new` of `old`."""
    try:
        return len(stored) == size and tables.patched(old, tables.decompressed(stored)) == new
    except Unreadable:
        return False


def _whole(base: Path) -> Tree:
    return Tree.read(base, exclude=(".",))
