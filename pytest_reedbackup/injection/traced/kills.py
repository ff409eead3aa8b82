"""Killing an implementation in the midst of a call, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.model.adapter_faults import TimedOut


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore to be killed."""

    base: Path
    target: int


def restore_killed_after(process: Served, restore: Restore, secs: float) -> Answer | None:
    """Kill the process `secs` after the call; return the answer, if it came before."""
    try:
        return replace(process, secs=secs).restore_point_in_time(restore.base, restore.target)
    except TimedOut:
        return None
