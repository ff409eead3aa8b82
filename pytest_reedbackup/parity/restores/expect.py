"""The observations of a restore that contract `last` allows, in the lines of `observe`.

There are several where the safe thing may be done in more than one way in the
place of a defect. Each of them has all headings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from itertools import product

from pytest_reedbackup.generate.last.scenarios import Restore
from pytest_reedbackup.generate.last.temporary_bases import BASE
from pytest_reedbackup.parity.changes import describe_path, other_changes, short_digest
from pytest_reedbackup.parity.observations import (
    AS_BEFORE,
    OUTCOME,
    REGISTRY,
    UNTOUCHED,
    ExpectedLine,
    ExpectedObservation,
    Observation,
    error_lines,
    table_heading,
)
from pytest_reedbackup.parity.restores.model import RestoreContext, TableOutcome
from pytest_reedbackup.parity.restores.observe import report_line, tables_in
from pytest_reedbackup.parity.restores.system_codes import SystemCode, system_codes
from pytest_reedbackup.parity.restores.table_outcomes import table_outcomes
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import NO_FOLDER
from pytest_reedbackup.views.tree import Entry, Tree
from pytest_reedbackup.views.umask import current_umask

MENDABLE = ("D7", "D9", "D10", "D15", "D16", "D17")
"""The defects, by id, that a restore shows (contract `last`, "Defects seen")."""


def expected_restores(
    run: SideRun, call: Restore, mended: Collection[str]
) -> Iterator[ExpectedObservation]:
    """Yield what the contract allows, read from the files before the call."""
    folder = run.base / "tables"
    if not folder.exists():
        yield _error({"kind": "NoTablesFound"})
        return
    if not folder.is_dir():
        yield _error({"kind": "IoError", "operation": "read_tables_dir", "reason": NO_FOLDER})
        return
    before, tables = Snapshot.read(run.base.parent), tables_in(run.base)
    report = (report_line(run.describe_target(call)),)
    for code in system_codes(run, mended):
        context = RestoreContext(run, before, run.target(call), frozenset(mended), code)
        for outcomes in product(*(table_outcomes(context, table) for table in tables.values())):
            by_table = dict(zip(tables, outcomes, strict=True))
            yield ExpectedObservation(
                {OUTCOME: report, **_lines(before, by_table, code)},
                _decisions(by_table, code, mended),
            )


def _error(error: dict[str, str]) -> ExpectedObservation:
    return ExpectedObservation({OUTCOME: error_lines({"err": error}), **UNTOUCHED})


def _decisions(
    outcomes: Mapping[str, TableOutcome], code: SystemCode, mended: Collection[str]
) -> dict[str, str]:
    """Return what is chosen about each table and the registry, where there is a choice."""
    decisions = {}
    if {"D10", "D15", "D17"} & set(mended):
        decisions = {table_heading(name): each.decision for name, each in outcomes.items()}
    if "D16" in mended and _writes_versions(outcomes):
        decisions[REGISTRY] = str(code)
    return decisions


def _writes_versions(outcomes: Mapping[str, TableOutcome]) -> bool:
    return any(outcome.asks_for_code for outcome in outcomes.values())


def _lines(
    before: Snapshot, outcomes: Mapping[str, TableOutcome], code: SystemCode
) -> dict[str, tuple[ExpectedLine, ...]]:
    """Return the lines about the tables and all else, by heading."""
    return {
        **{
            table_heading(name): _table_lines(before, name, each) for name, each in outcomes.items()
        },
        **_lines_on_link_targets(before, outcomes.values()),
        REGISTRY: code.lines if _writes_versions(outcomes) else AS_BEFORE,
    }


def _table_lines(before: Snapshot, name: str, outcome: TableOutcome) -> tuple[ExpectedLine, ...]:
    """Return the lines about one table's files."""
    folder = before.resolve(f"{BASE}/tables/{name}")
    left_behind = sorted(
        (describe_path(f"{folder}/{file}"), content) for file, content in outcome.left_behind
    )
    current = "as before"
    if outcome.current is not None:
        current = f"other content, {_digest(outcome.current)}"
    mode = 0o666 & ~current_umask()
    return (
        outcome.report,
        f"current.csv: {current}",
        f"version.log: {outcome.log}",
        *([f"deltas that no log line names: {outcome.orphans}"] if outcome.orphans else []),
        *([f".lock: made, mode {mode:04o}"] if outcome.makes_lock else []),
        *(f"left behind: {path}, {_digest(content)}" for path, content in left_behind),
        *(f"removed: {describe_path(f'{folder}/{file}')}" for file in sorted(outcome.removed)),
        *outcome.other_changes,
    )


def _lines_on_link_targets(before: Snapshot, outcomes: Collection[TableOutcome]) -> Observation:
    """Return the lines about what is written where symlinks lead."""
    entries = dict(before.entries)
    for path, content in (each for outcome in outcomes for each in outcome.written_through):
        was = entries.get(path)
        mode = was.mode if was else 0o666 & ~current_umask()
        digest = sha256(content).hexdigest()
        entries[path] = Entry("file", mode, len(content), 0, digest)
    return other_changes(before, Snapshot(before.root, Tree(entries), {}))


def _digest(content: bytes) -> str:
    return short_digest(sha256(content).hexdigest())
