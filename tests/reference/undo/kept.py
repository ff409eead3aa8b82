"""What an undoable restore keeps."""

from __future__ import annotations

from pathlib import Path


def working_folders(base: Path) -> list[str]:
    return sorted(path.name for path in base.glob(".reedbackup*"))


def kept(base: Path) -> Path:
    [name] = working_folders(base)
    assert name.startswith(".reedbackup-undo-")
    return base / name
