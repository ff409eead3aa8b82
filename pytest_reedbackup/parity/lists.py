"""list_backups: what it shows, and what the model says of it."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pytest_reedbackup.databases.tables import U64_MAX, rust_number
from pytest_reedbackup.parity.facts import AS_BEFORE, ELSEWHERE, OUTCOME, Facts, Side, elsewhere
from pytest_reedbackup.parity.facts import refused as refused_line
from pytest_reedbackup.recordings import Observer, outcome_of

MENDABLE = ("D11",)
"""The defects that a list shows (contract `last`, "Defects seen")."""

BACKUPS = "the backups listed"
_SUFFIX = ".tar.gz"
_MIB = 1048576


def observed(side: Side) -> Facts:
    """The call is made; what came of it."""
    observer = Observer(side.base)
    outcome = outcome_of(side.subject.list_backups(side.base), side.base)
    touched = elsewhere(sorted(observer.changed()))
    if "err" in outcome:
        return {OUTCOME: refused_line(outcome), ELSEWHERE: touched}
    return {OUTCOME: ("a list",), BACKUPS: _in_order(outcome["ok"]), ELSEWHERE: touched}


def predicted(side: Side, mended: Collection[str]) -> Facts:
    """What the model says of the call, read from the side's files before it."""
    folder = side.base / "backups"
    infos = [
        {
            "timestamp": second,
            "path": f"{{base}}/backups/{path.name}",
            "size_bytes": path.lstat().st_size,
            "size_mb": path.lstat().st_size / _MIB,
        }
        for path in (folder.iterdir() if folder.exists() else ())
        if (second := _second(path.name)) is not None and ("D11" not in mended or is_archive(path))
    ]
    newest_first = sorted(infos, key=lambda info: info["timestamp"], reverse=True)  # type: ignore[arg-type, return-value]
    return {OUTCOME: ("a list",), BACKUPS: _in_order(newest_first), ELSEWHERE: AS_BEFORE}


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


def _in_order(infos: Collection[Mapping[str, Any]]) -> tuple[str, ...]:
    """A line each; the order of equal timestamps is free, so those are sorted by path."""
    lines: list[str] = []
    group: list[str] = []
    last: object = None
    for info in infos:
        if info["timestamp"] != last:
            lines, group, last = [*lines, *sorted(group)], [], info["timestamp"]
        group.append(", ".join(f"{name} {value}" for name, value in info.items()))
    return (*lines, *sorted(group))
