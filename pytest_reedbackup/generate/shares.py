"""The parts that a campaign is divided into."""

from __future__ import annotations

import os

_divided_into: int | None = None


def shares() -> list[int]:
    """One for each worker of pytest-xdist, or a single one; for a replay, as when recorded."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return list(range(_divided_into or workers))


def divide_into(count: int | None) -> None:
    """Makes `shares` that many, whatever the workers; None for as many as there are workers."""
    global _divided_into
    _divided_into = count
