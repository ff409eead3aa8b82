"""Waiting for what happens in other processes."""

from __future__ import annotations

import time
from collections.abc import Callable


def ends_within(secs: float, holds: Callable[[], bool]) -> bool:
    """Whether `holds` becomes true in that time."""
    deadline = time.monotonic() + secs
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
