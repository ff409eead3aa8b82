"""Killing an implementation in the midst of a call, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.traced.served import served
from pytest_reedbackup.model.adapter_faults import TimedOut


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore to be killed."""

    base: Path
    target: int


def restore_killed_after(
    implementation: Implementation, restore: Restore, secs: float
) -> Answer | None:
    """Kill the process `secs` after the call; return the answer, if it came before."""
    with served(implementation, secs=secs) as process:
        try:
            return process.restore_point_in_time(restore.base, restore.target)
        except TimedOut:
            return None
