"""The system calls that an implementation makes, seen by strace."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.faults.strace import OPENS, calls_in, tracing
from pytest_reedbackup.implementations import translated
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.promises import value_of
from pytest_reedbackup.subject import Subject


def traced_restore(subject: Subject, base: Path, target: int, calls: Sequence[str]) -> list[str]:
    """Those of the system calls `calls` that a restore makes, in a process of its own.

    Raises MissingCapability where strace is missing, may not trace, or sees
    nothing of the restore.
    """
    command = subject.implementation.command
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        _restore(subject, [*tracing([*OPENS, *calls], trace), *command], base, target)
        return [name for name in calls_in(trace, base) if name in calls]


def _restore(subject: Subject, command: Sequence[str], base: Path, target: int) -> None:
    implementation = subject.implementation
    process = ChildProcess(command, implementation.environment)
    client = Client(process)
    try:
        client.hello(implementation.limits.hello)
        secs = implementation.limits.call
        method, contract = "restore_point_in_time", subject.contract
        answer = translated.call(client, method, contract, base, secs, target_timestamp=target)
        value_of(answer, "a restore under strace")
    finally:
        client.close()
