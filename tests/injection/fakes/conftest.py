"""A disk in memory with a tiny database on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.fakes.disk import FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of one table."""
    base = tmp_path / "real" / ".reed"
    base.parent.mkdir()
    build(DatabaseSpec(tables=("text",), rows=1), base)
    return base


@pytest.fixture
def disk(database: Path) -> Iterator[FakeDisk]:
    """It on a disk in memory, which this test has in the place of its real files."""
    with fake_disk(StoredTree.read(database)) as disk:
        yield disk
