"""Waiting for what happens in other processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def ends_within(secs: float, holds: Callable[[], bool]) -> bool:
    """Whether `holds` becomes true in that time."""
    deadline = time.monotonic() + secs
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_dead(pid: int) -> bool:
    """Gone, or a zombie that its new parent has not fetched yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
