"""A database that a restore would change in all ways."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fixture_types import BackupAt


@pytest.fixture
def damaged(base: Path, backup_at: BackupAt) -> Path:
    """A backup, and since then all kinds of changes, such as no backup could hold."""
    (base / "tables" / "text").chmod(0o2750)
    backup_at(base, 1000)
    tables = base / "tables"
    (tables / "text" / "current.csv").write_text("changed since")
    (tables / "text" / "current.csv").chmod(0o4711)
    (tables / "link").symlink_to("/nowhere")
    os.mkfifo(tables / "text" / "fifo")
    (tables / "new" / "deep").mkdir(parents=True)
    os.link(tables / "text" / "current.csv", tables / "new" / "second name")
    shutil.rmtree(tables / "routes")
    os.utime(tables / "text" / ".lock", (1, 1))
    os.utime(tables / "new", ns=(5, 123_456_789_012_345_678))
    return base
