"""What an outcome of one table in a restore is, and what it depends on."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_reedbackup.parity.observations import ExpectedLine
from pytest_reedbackup.parity.restores.system_codes import SystemCode
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.snapshot import Snapshot


@dataclass(frozen=True)
class RestoreContext:
    """What the outcomes of all tables in one restore depend on."""

    run: SideRun
    before: Snapshot
    target: int
    """Unix nanoseconds."""
    mended: frozenset[str]
    """The defects, by id, in whose place the safe thing is done."""
    code: SystemCode


@dataclass(frozen=True)
class TableOutcome:
    """One of the outcomes that the contract allows for a table."""

    report: ExpectedLine
    """What the report says of it."""
    current: bytes | None = None
    """The new content of current.csv; None where it stays."""
    log: str = "as before"
    """What there is to say about version.log."""
    orphans: int = 0
    """How many new deltas no log line names."""
    makes_lock: bool = False
    left_behind: tuple[tuple[str, bytes], ...] = ()
    """The names of new temporary files, and their content."""
    removed: frozenset[str] = frozenset()
    """The names of temporary files that were there, and are gone."""
    other_changes: tuple[ExpectedLine, ...] = ()
    """Lines about what else changed in the table's folder."""
    written_through: tuple[tuple[str, bytes], ...] = ()
    """The content written where symlinks lead, by path in the snapshot."""
    asks_for_code: bool = False
    """Whether system needs a code, and is added to users.dict without one."""
    decision: str = ""
    """What was chosen, where the safe thing may be done in more than one way."""
