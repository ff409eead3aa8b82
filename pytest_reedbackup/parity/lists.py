"""list_backups: what it shows, and what the model says of it."""

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
from pytest_reedbackup.parity.facts import (
    OUTCOME,
    UNTOUCHED,
    Expected,
    Facts,
    Side,
    refused,
)
from pytest_reedbackup.parity.surroundings import surroundings
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import NO_FOLDER, rust_number
from pytest_reedbackup.views.tree import printable
from reedbase_backup.types import U64_MAX

MENDABLE = ("D11",)
"""The defects that a list shows (contract `last`, "Defects seen")."""

BACKUPS = "the backups listed"
_SUFFIX = ".tar.gz"
_MIB = 1048576


def observed(side: Side, call: List, number: int) -> Facts:
    """The call is made; what came of it."""
    before = Snapshot.read(side.base.parent)
    outcome = outcome_of(side.implementation.list_backups(side.base), side.base)
    touched = surroundings(before, Snapshot.read(side.base.parent))
    if "err" in outcome:
        return {OUTCOME: refused(outcome), **touched}
    return {OUTCOME: ("a list",), BACKUPS: _in_order(side, outcome["ok"]), **touched}


def expected(side: Side, call: List, mended: Collection[str]) -> Iterator[Expected]:
    """What may come of the call, read from the side's files before it."""
    folder = side.base / "backups"
    if folder.exists() and not folder.is_dir():
        error = {"kind": "IoError", "operation": "read_backup_dir", "reason": NO_FOLDER}
        yield Expected({OUTCOME: refused({"err": error}), **UNTOUCHED})
        return
    infos = [
        {
            "timestamp": second,
            **_of_file(path),
        }
        for path in (folder.iterdir() if folder.exists() else ())
        if (second := _second(path.name)) is not None and ("D11" not in mended or is_archive(path))
    ]
    newest_first = sorted(infos, key=lambda info: info["timestamp"], reverse=True)
    yield Expected({OUTCOME: ("a list",), BACKUPS: _in_order(side, newest_first), **UNTOUCHED})


def is_archive(path: Path) -> bool:
    """Whether there is a whole gzip file, or a symlink that leads to one."""
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


def _of_file(path: Path) -> dict[str, Any]:
    size = path.lstat().st_size
    return {
        "path": f"{BASE_MARK}/backups/{path.name}",
        "size_bytes": size,
        "size_mb": size / _MIB,
    }


def _in_order(side: Side, infos: Collection[Mapping[str, Any]]) -> tuple[str, ...]:
    """A line each; the order of equal timestamps is free, so those are sorted by path."""
    lines: list[str] = []
    for _, group in groupby(infos, key=lambda info: info["timestamp"]):
        lines += sorted(_line(side, info) for info in group)
    return tuple(lines)


def _line(side: Side, info: Mapping[str, Any]) -> str:
    """What is said of one backup; of one that the side made, whether it is right."""
    path = side.base / "backups" / Path(info["path"]).name
    if path.name in side.archives and os.path.lexists(path):
        wanted = {"timestamp": _second(path.name), **_of_file(path)}
        if info == wanted:
            return side.archives[path.name]
    return printable(", ".join(f"{name} {value}" for name, value in info.items()))
