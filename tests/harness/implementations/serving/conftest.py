"""A small database to make requests about."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec


@pytest.fixture
def base(tmp_path: Path) -> Path:
    build(DatabaseSpec(tables=2, rows=4, indices=1), tmp_path / ".reed")
    return tmp_path / ".reed"
