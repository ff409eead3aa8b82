"""Killing an implementation in the midst of a call, in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.faults.strace import OPENS, RENAMES, calls_in, tracing, was_killed
from pytest_reedbackup.implementations import translated
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Answer, Client
from pytest_reedbackup.implementations.faults import AdapterFault, Crashed, TimedOut
from pytest_reedbackup.subject import Subject

# Kills that were meant for the call may come while an interpreter starts.
_QUIET_START = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore to be killed."""

    base: Path
    target: int


def restore_killed_after(subject: Subject, restore: Restore, secs: float) -> Answer | None:
    """Kills the process `secs` after the call; the answer, if it came before."""
    client = _start(subject, subject.implementation.command)
    try:
        return _call(subject, client, restore, secs)
    except TimedOut:
        return None
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a restore that was to be killed at a rename."""

    answer: Answer | None = None
    """What it answered; None where it was killed."""
    in_call: bool = False
    """Whether it was killed in the restore, rather than while the process started."""


def restore_killed_at_rename(subject: Subject, restore: Restore, number: int) -> Attempt:
    """Kills the process at its `number`-th rename, by strace.

    Renames are where implementations switch from the old tree to the new: a
    moment too short to be hit by the clock. Raises MissingCapability without a
    strace that works, and where it sees nothing of the restore; Crashed where
    the process ends by itself.
    """
    command = subject.implementation.command
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        tracer = tracing([*OPENS, *RENAMES], trace, kill_at=(RENAMES, number))
        attempt = _attempt(subject, restore, [*tracer, *command], trace)
        if attempt.answer is not None:
            calls_in(trace, restore.base)
        return attempt


def _attempt(subject: Subject, restore: Restore, command: Sequence[str], trace: Path) -> Attempt:
    try:
        client = _start(subject, command)
    except Crashed:
        if not was_killed(trace):
            raise
        return Attempt()
    try:
        return Attempt(_call(subject, client, restore, subject.implementation.limits.call))
    except Crashed:
        if not was_killed(trace):
            raise
        return Attempt(in_call=True)
    finally:
        client.close()


def _start(subject: Subject, command: Sequence[str]) -> Client:
    environment = {**subject.implementation.environment, **_QUIET_START}
    client = Client(ChildProcess(command, environment))
    try:
        client.hello(subject.implementation.limits.hello)
    except AdapterFault:
        client.close()
        raise
    return client


def _call(subject: Subject, client: Client, restore: Restore, secs: float) -> Answer:
    return translated.call(
        client,
        "restore_point_in_time",
        subject.contract,
        restore.base,
        secs,
        target_timestamp=restore.target,
    )
