"""The pages that people read."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

DOCS = sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "docs").glob("*.md"))
PAGES = ["README.md", *DOCS]
"""README and all of docs/, as paths in the project."""
