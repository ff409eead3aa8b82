"""Killing an implementation in the midst of a call, in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.traced.served import served
from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES, calls_in, tracing, was_killed
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a restore that was to be killed at a rename."""

    answer: Answer | None = None
    """What it answered; None where it was killed."""
    in_call: bool = False
    """Whether it was killed in the restore, rather than while the process started."""


def restore_killed_at_rename(
    implementation: Implementation, restore: Restore, number: int
) -> Attempt:
    """Kill the process at its `number`-th rename, by strace.

    Renames are where implementations switch from the old tree to the new: a
    moment too short to be hit by the clock. Raise MissingCapability without a
    strace that works, and where it sees nothing of the restore; Crashed where
    the process ends by itself.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        tracer = tracing([*OPENS, *RENAMES], trace, kill_at=(RENAMES, number))
        attempt = _attempt(implementation, restore, tracer, trace)
        if attempt.answer is not None:
            calls_in(trace, restore.base)
        return attempt


def _attempt(
    implementation: Implementation, restore: Restore, tracer: Sequence[str], trace: Path
) -> Attempt:
    in_call = False
    try:
        with served(implementation, tracer=tracer) as process:
            in_call = True
            return Attempt(process.restore_point_in_time(restore.base, restore.target))
    except Crashed:
        if not was_killed(trace):
            raise
        return Attempt(in_call=in_call)
