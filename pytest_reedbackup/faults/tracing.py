"""The system calls that an implementation makes, seen by strace."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.failures import MissingCapability
from pytest_reedbackup.implementations import translated
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.promises import value_of
from pytest_reedbackup.subject import Subject

_CALL = re.compile(r"^\d+\s+([a-z_0-9]+)\(", re.MULTILINE)


def traced_restore(subject: Subject, base: Path, target: int, calls: Sequence[str]) -> list[str]:
    """Those of the system calls `calls` that a restore makes, in a process of its own.

    Raises MissingCapability where strace is missing or may not trace.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise MissingCapability("strace", "it is not installed", tool=True)
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        trace = Path(folder) / "trace"
        command = [strace, "-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(calls)}"]
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
            raise MissingCapability("strace", "it may not trace processes here", tool=True)
        _restore(subject, command, base, target)
        return _CALL.findall(trace.read_text(errors="replace"))


def _restore(subject: Subject, tracer: Sequence[str], base: Path, target: int) -> None:
    implementation = subject.implementation
    process = ChildProcess([*tracer, *implementation.command], implementation.environment)
    client = Client(process)
    try:
        client.hello(implementation.limits.hello)
        secs = implementation.limits.call
        method, contract = "restore_point_in_time", subject.contract
        answer = translated.call(client, method, contract, base, secs, target_timestamp=target)
        value_of(answer, "a restore under strace")
    finally:
        client.close()
