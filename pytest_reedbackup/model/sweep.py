"""What came of a sweep: one thing goes wrong at a time, at every point of a call."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class PointOutcome(StrEnum):
    """How an implementation stood a point."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_REACHED = "not reached"
    """The call ended before it came so far: another run may make other calls."""


class PointResult(Struct, frozen=True, kw_only=True):
    """One point of a sweep, as it was judged."""

    point: str
    """What repeats it, as in `fsync#3` or `write#2 ENOSPC`."""
    path: str
    """What the system call is about, relative to the folder around the base."""
    outcome: PointOutcome
    moment: str = ""
    """For a power cut: which of the disks that it may leave."""
    detail: str = ""
    expected: str = ""
    found: str = ""
    trace: Sequence[str] = ()
    """The system calls around a broken point, a line each."""
    kept: str = ""
    """The folder in which the database is as it was found."""
