"""The system calls that an implementation makes, seen by strace."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.injection.traced.served import served
from pytest_reedbackup.injection.traced.strace import OPENS, calls_in, tracing


def traced_restore(
    implementation: Implementation, base: Path, target: int, calls: Sequence[str]
) -> list[str]:
    """Return those of the system calls `calls` that a restore makes, in a process of its own.

    Raise MissingCapability where strace is missing, may not trace, or sees
    nothing of the restore.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        with served(implementation, tracer=tracing([*OPENS, *calls], trace)) as process:
            answer = process.restore_point_in_time(base, target)
            value_of(answer, "a restore under strace")
        return [name for name in calls_in(trace, base) if name in calls]
