"""Changes to a live database after its backup."""

from __future__ import annotations

from pathlib import Path


def change(base: Path, to: str) -> None:
    """Write `to` over the content of a table."""
    (base / "tables" / "text" / "current.csv").write_text(to)
