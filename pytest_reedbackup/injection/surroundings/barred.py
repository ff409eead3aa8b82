"""Parts of a database that nobody can write to, because they are mounted read-only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_reedbackup.injection.mounts import mounted_read_only
from pytest_reedbackup.injection.surroundings.ordeals import Hardship, Imposed

_ROW = "read-only"


def read_only_parts(base: Path, *, all_parts: bool) -> Iterator[Hardship]:
    """Yield the base and backups/; with `all_parts` each part that a backup is made of, too.

    Where such a part alone is read-only, no contract says what becomes of the others in a restore.
    """
    tables = sorted(child.name for child in (base / "tables").iterdir() if child.is_dir())
    parts = ["", "backups"]
    if all_parts:
        parts += ["tables", f"tables/{tables[0]}", "indices"]
    for number, part in enumerate(parts, 1):
        yield Hardship(f"read-only {part or 'base'}", _mounted(part), row=_ROW, number=number)


def _mounted(part: str) -> Imposed:
    return lambda base, process, trace: mounted_read_only(base / part, base / part, tool=True)
