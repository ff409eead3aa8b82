"""list_backups: what it lists, and what contract `last` allows."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from pytest_reedbackup.generate.last.scenarios import List
from pytest_reedbackup.implementations.json_outcomes import BASE_MARK, outcome_of
from pytest_reedbackup.parity.changes import other_changes
from pytest_reedbackup.parity.observations import (
    OUTCOME,
    UNTOUCHED,
    ExpectedObservation,
    Observation,
    error_lines,
)
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import NO_FOLDER, rust_number
from pytest_reedbackup.views.tree import printable
from reedbase_backup.types import U64_MAX

MENDABLE = ("D11",)
"""The defects, by id, that a list shows (contract `last`, "Defects seen")."""

BACKUPS = "the backups listed"
_SUFFIX = ".tar.gz"
_MIB = 1048576


def observe_list(run: SideRun, call: List, number: int) -> Observation:
    """Make the call on one side, and return what came of it."""
    before = Snapshot.read(run.base.parent)
    outcome = outcome_of(run.implementation.list_backups(run.base), run.base)
    changes = other_changes(before, Snapshot.read(run.base.parent))
    if "err" in outcome:
        return {OUTCOME: error_lines(outcome), **changes}
    return {OUTCOME: ("a list",), BACKUPS: _in_order(run, outcome["ok"]), **changes}


def expected_lists(
    run: SideRun, call: List, mended: Collection[str]
) -> Iterator[ExpectedObservation]:
    """Yield what the contract allows, read from the files before the call."""
    folder = run.base / "backups"
    if folder.exists() and not folder.is_dir():
        error = {"kind": "IoError", "operation": "read_backup_dir", "reason": NO_FOLDER}
        yield ExpectedObservation({OUTCOME: error_lines({"err": error}), **UNTOUCHED})
        return
    infos = [
        backup_info(path)
        for path in (folder.iterdir() if folder.exists() else ())
        if _second(path.name) is not None and ("D11" not in mended or is_archive(path))
    ]
    newest_first = sorted(infos, key=lambda info: info["timestamp"], reverse=True)
    yield ExpectedObservation(
        {OUTCOME: ("a list",), BACKUPS: _in_order(run, newest_first), **UNTOUCHED}
    )


def is_archive(path: Path) -> bool:
    """Say whether there is a whole gzip file, or a symlink that leads to one."""
    if not path.is_file() or not os.path.getsize(path):
        return False
    try:
        gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return False
    return True


def _second(name: str) -> int | None:
    stem = name.removesuffix(_SUFFIX)
    return rust_number(stem, U64_MAX) if stem != name else None


def backup_info(path: Path) -> dict[str, Any]:
    """Return the BackupInfo of a file in backups/; the timestamp is None by a name of others."""
    size = path.lstat().st_size
    return {
        "timestamp": _second(path.name),
        "path": f"{BASE_MARK}/backups/{path.name}",
        "size_bytes": size,
        "size_mb": size / _MIB,
    }


def _in_order(run: SideRun, infos: Collection[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a line for each backup; equal timestamps, whose order is free, are sorted by it."""
    lines: list[str] = []
    for _, group in groupby(infos, key=lambda info: info["timestamp"]):
        lines += sorted(_line(run, info) for info in group)
    return tuple(lines)


def _line(run: SideRun, info: Mapping[str, Any]) -> str:
    """Return the name of a backup that the run made, if the info is right; else the info."""
    path = run.base / "backups" / Path(info["path"]).name
    if path.name in run.archive_names and os.path.lexists(path) and info == backup_info(path):
        return run.archive_names[path.name]
    return printable(", ".join(f"{name} {value}" for name, value in info.items()))
