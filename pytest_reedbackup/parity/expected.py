"""What contract `last` says of a restore: the lines that `restores.observed` is to have.

The safe thing that is done in a defect's place may be done in more than one
way, so there may be several expectations; each is about all headings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import product

from pytest_reedbackup.generate.last.sandbox import BASE
from pytest_reedbackup.generate.last.scenarios import Restore
from pytest_reedbackup.parity.facts import (
    AS_BEFORE,
    OUTCOME,
    REGISTRY,
    UNTOUCHED,
    Expected,
    Facts,
    Line,
    Side,
    heading_of,
    refused,
)
from pytest_reedbackup.parity.restores import reported_target, tables_in
from pytest_reedbackup.parity.surroundings import described_path, sha, surroundings
from pytest_reedbackup.parity.users import choices
from pytest_reedbackup.parity.ways import Way, Ways
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import NO_FOLDER
from pytest_reedbackup.views.tree import Entry, Tree
from pytest_reedbackup.views.umask import current_umask

MENDABLE = ("D7", "D9", "D10", "D15", "D16", "D17")
"""The defects that a restore shows (contract `last`, "Defects seen")."""


def expected(side: Side, call: Restore, mended: Collection[str]) -> Iterator[Expected]:
    """What may come of the call, read from the side's files before it."""
    tables = side.base / "tables"
    if not tables.exists():
        yield _refused({"kind": "NoTablesFound"})
        return
    if not tables.is_dir():
        error = {"kind": "IoError", "operation": "read_tables_dir", "reason": NO_FOLDER}
        yield _refused(error)
        return
    before = Snapshot.read(side.base.parent)
    outcome = (reported_target(side.target_in_words(call)),)
    found = tables_in(side.base)
    chooses = bool({"D10", "D15", "D17"} & set(mended))
    for choice in choices(side, mended):
        ways = Ways(side, before, side.target(call), frozenset(mended), choice)
        for together in product(*(ways.of(table) for table in found.values())):
            asked = any(way.asks_for_code for way in together)
            headings = [heading_of(name) for name in found]
            lines = {
                heading: _lines(before, name, way)
                for heading, name, way in zip(headings, found, together, strict=True)
            }
            decisions = dict(
                zip(headings, (way.decision for way in together), strict=True) if chooses else ()
            )
            if asked and "D16" in mended:
                decisions[REGISTRY] = str(choice)
            yield Expected(
                {
                    OUTCOME: outcome,
                    **lines,
                    **_surroundings(before, together),
                    REGISTRY: choice.lines if asked else AS_BEFORE,
                },
                decisions,
            )


def _refused(error: dict[str, str]) -> Expected:
    return Expected({OUTCOME: refused({"err": error}), **UNTOUCHED})


def _lines(before: Snapshot, name: str, way: Way) -> tuple[Line, ...]:
    """The lines about one table's files, as `restores.observed` has them."""
    folder = before.resolve(before.root / BASE / "tables" / name)
    shown = [described_path(f"{folder}/{tmp}") for tmp, _ in way.left]
    current = "as before" if way.current is None else f"other content, {_sha(way.current)}"
    mode = 0o666 & ~current_umask()
    return (
        way.said,
        f"current.csv: {current}",
        f"version.log: {way.log}",
        *([f"deltas that no log line names: {way.orphans}"] if way.orphans else []),
        *([f".lock: made, mode {mode:04o}"] if way.makes_lock else []),
        *(f"left behind: {path}, {_sha(content)}" for path, (_, content) in _pairs(shown, way)),
        *(f"removed: {described_path(f'{folder}/{tmp}')}" for tmp in sorted(way.removed)),
        *way.besides,
    )


def _pairs(shown: list[str], way: Way) -> list[tuple[str, tuple[str, bytes]]]:
    return sorted(zip(shown, way.left, strict=True))


def _surroundings(before: Snapshot, ways: Collection[Way]) -> Facts:
    """The lines about what symlinks lead to."""
    entries = dict(before.entries)
    for path, content in (each for way in ways for each in way.through):
        was = entries.get(path)
        mode = was.mode if was else 0o666 & ~current_umask()
        digest = sha256(content).hexdigest()
        entries[path] = Entry("file", mode, len(content), 0, digest)
    return surroundings(before, Snapshot(before.root, Tree(entries), {}))


def _sha(content: bytes) -> str:
    return sha(sha256(content).hexdigest())
