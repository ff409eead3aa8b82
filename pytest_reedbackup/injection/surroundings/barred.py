"""Parts of a database that nobody can write to, because they are mounted read-only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_reedbackup.injection.mounts import mounted_read_only
from pytest_reedbackup.injection.surroundings.ordeals import Hardship, Imposed

_ROW = "read-only"


def read_only_parts(base: Path) -> Iterator[Hardship]:
    """Yield the base, backups/ and each part that a backup is made of, one table among them."""
    tables = sorted(child.name for child in (base / "tables").iterdir() if child.is_dir())
    parts = ["", "backups", "tables", f"tables/{tables[0]}", "indices"]
    for number, part in enumerate(parts, 1):
        yield Hardship(f"read-only {part or 'base'}", _mounted(part), row=_ROW, number=number)


def _mounted(part: str) -> Imposed:
    return lambda base, process, trace: mounted_read_only(base / part, base / part, tool=True)
