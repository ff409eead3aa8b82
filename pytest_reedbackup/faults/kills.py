"""Killing an implementation in the midst of a call, in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.failures import MissingCapability
from pytest_reedbackup.implementations import translated
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Answer, Client
from pytest_reedbackup.implementations.faults import Crashed, TimedOut
from pytest_reedbackup.subject import Subject

# Kills that were meant for the call may come while an interpreter starts.
_QUIET_START = {"PYTHONDONTWRITEBYTECODE": "1"}
_RENAMES = "rename,renameat,renameat2"


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


def restore_killed_at_rename(subject: Subject, restore: Restore, number: int) -> Answer | None:
    """Kills the process at its `number`-th rename, by strace; the answer, if it came before.

    Renames are where implementations switch from the old tree to the new: a
    moment too short to be hit by the clock. Raises MissingCapability without
    strace.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise MissingCapability("strace", "it is not installed", tool=True)
    tracing = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={_RENAMES}"]
    inject = ["-e", f"inject={_RENAMES}:signal=KILL:when={number}"]
    try:
        client = _start(subject, [*tracing, *inject, *subject.implementation.command])
    except Crashed:
        return None
    try:
        return _call(subject, client, restore, subject.implementation.limits.call)
    except Crashed:
        return None
    finally:
        client.close()


def _start(subject: Subject, command: Sequence[str]) -> Client:
    environment = {**subject.implementation.environment, **_QUIET_START}
    client = Client(ChildProcess(command, environment))
    try:
        client.hello(subject.implementation.limits.hello)
    except Crashed:
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
