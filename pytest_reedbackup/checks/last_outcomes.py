"""What contract `last` says must come of each table in a restore, read from the table's files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pytest_reedbackup.views import tables
from pytest_reedbackup.views.tables import TableFolder, Unreadable, tables_of

MENDABLE = ("D7", "D9", "D10")
"""The defects that these outcomes show (contract `last`, "Defects seen")."""


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
    leaves_file: bool = field(default=False, compare=False)
    """Whether the temporary file of the version before is left in the table's folder."""


ExpectedOutcome: TypeAlias = Restored | Skipped | Failed
ExpectedOutcomes: TypeAlias = Mapping[str, ExpectedOutcome]
"""By table."""


def expected_outcomes(
    base: Path, target: int, mended: Collection[str] = ()
) -> dict[str, ExpectedOutcome]:
    """Return what must come of each table of `base`, by name, in a restore to `target`.

    `target` is in Unix nanoseconds. `mended` are the defects, by id, in whose
    place the safe thing must be done. Raise Unreadable where tables/ is missing
    or is no folder.
    """
    try:
        folders = tables_of(base)
    except FileNotFoundError:
        raise Unreadable("NoTablesFound", {}) from None
    except NotADirectoryError as error:
        fields = {"operation": "read_tables_dir", "reason": tables.os_reason(error.errno)}
        raise Unreadable("IoError", fields) from None
    return {name: expected_outcome(table, target, mended) for name, table in folders.items()}


def expected_outcome(
    table: TableFolder, target: int, mended: Collection[str] = ()
) -> ExpectedOutcome:
    """Return what must come of one table; see `expected_outcomes`."""
    not_found = Failed("TableNotFound", {"name": table.reported_name})
    lost = not table.current.exists()
    if lost and ("D9" not in mended or table.current.is_symlink()):
        return not_found
    try:
        version = table.newest_at_or_before(target)
        if version is None:
            return not_found if lost else Skipped()
        content = table.content(version.timestamp)
    except Unreadable as error:
        # Before the first delta has been read, there is no temporary file.
        leaves_file = error.delta > 0 and "D10" not in mended
        return not_found if lost else Failed(error.kind, error.fields, leaves_file)
    glued = not table.log.read_bytes().endswith(b"\n") and "D7" not in mended
    return Restored(version.timestamp, content, glued, lost)
