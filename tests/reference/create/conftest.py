"""What the tests of reuse begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from reference.create.reuse import wait_a_tick

from reedbase_backup import create_backup


@pytest.fixture
def backed_up(base: Path) -> Path:
    """A database and its backup, begun later than it was made."""
    wait_a_tick()
    create_backup(base)
    return base
