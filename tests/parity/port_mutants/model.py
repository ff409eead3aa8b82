"""Copies of the port with one line changed, each as an adapter of its own."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import reedbase_backup

_PACKAGE = Path(reedbase_backup.__file__).parent


@dataclass(frozen=True)
class PortMutant:
    """A copy of the port with one line changed."""

    name: str
    file: str
    """In reedbase_backup/last/."""
    line: str
    """A part of the line that stands in the file once."""
    changed: str
    seed: int = 1
    """Of a campaign that finds it soon: any does in the end."""
    is_slow: bool = False
    """Whether finding it takes many seconds."""


def served(mutant: PortMutant | None, folder: Path) -> str:
    """Return the command line that serves a mutant, or the port itself, from a copy in `folder`."""
    copy = folder / "reedbase_backup"
    shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is not None:
        path = copy / "last" / mutant.file
        source = path.read_text("utf-8")
        assert source.count(mutant.line) == 1, f"{mutant.name}: the line is there once"
        path.write_text(source.replace(mutant.line, mutant.changed), "utf-8")
    # -P: nothing of the working folder's goes before the copy.
    command = ["env", f"PYTHONPATH={folder}", sys.executable, "-P", "-m", "reedbase_backup"]
    return shlex.join([*command, "serve", "python-last"])
