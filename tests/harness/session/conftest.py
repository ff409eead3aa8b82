"""A user's folder with implementations in it."""

from __future__ import annotations

import pytest
from harness.sources import MINE


@pytest.fixture
def mine(pytester: pytest.Pytester) -> None:
    """Write the small implementations of `harness.sources` as `mine.py`."""
    pytester.makepyfile(mine=MINE)
