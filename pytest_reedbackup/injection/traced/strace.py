"""strace, where it really traces and injects.

That it is installed says little: containers forbid ptrace, old ones inject
nothing, and a process elsewhere (another host, another container) is not
reached. So it is tried on a child of this process, once, and what it says of an
implementation counts only where it has seen the implementation at work.
"""

from __future__ import annotations

import functools
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.model.failures import MissingCapability

OPENS = ("open", "openat", "openat2", "creat")
"""What no restore can do without: opening files."""
RENAMES = ("rename", "renameat", "renameat2")

NOT_REACHED = (
    "it saw no file of the database opened: the work is done by a process that it does not reach"
)
"""Why what strace says of an implementation does not count."""

_PATIENCE_SECS = 20
_CALL = re.compile(r"^\d+\s+([a-z_0-9]+)\((.*)", re.MULTILINE)
# Renames one file, and then another; nothing else that it does is a rename.
_TRIED = "import os; os.rename('one', 'first'); os.rename('two', 'second')"


def tracing(calls: Sequence[str], trace: Path) -> list[str]:
    """Return the command that runs another one and writes its system calls `calls` to `trace`.

    Raise MissingCapability where strace cannot trace here, or inject nothing.
    """
    program = shutil.which("strace")
    if program is None:
        raise MissingCapability("strace", "it is not installed", tool=True)
    if reason := _why_not(program):
        raise MissingCapability("strace", reason, tool=True)
    return _command(program, calls, trace)


@functools.cache
def _why_not(program: str) -> str:
    """Return why this strace is of no use here; nothing where it is."""
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as name:
        folder = Path(name)
        trace = folder / "trace"
        _, output = _try(folder, _command(program, RENAMES, trace))
        lines = trace.read_text(errors="replace") if trace.exists() else ""
        names = [call for call, _ in _CALL.findall(lines)]
        if len([call for call in names if call in RENAMES]) != 2 or '"first"' not in lines:
            return f"it traces nothing here{output}"
        killed = f"inject={','.join(f'?{call}' for call in RENAMES)}:signal=KILL:when=2"
        tracer = [*_command(program, RENAMES, trace), "-e", killed]
        status, output = _try(folder, tracer)
        if status != -signal.SIGKILL or _names(folder) != ["first", "trace", "two"]:
            return f"it kills nothing at a system call here (it can from version 4.16 on){output}"
    return ""


def _try(folder: Path, tracer: Sequence[str]) -> tuple[int | None, str]:
    """Return how a child ends that renames two files under strace, and what strace printed."""
    for leftover in folder.iterdir():
        leftover.unlink()
    for fresh in ("one", "two"):
        (folder / fresh).touch()
    command = [*tracer, sys.executable, "-I", "-S", "-c"]
    try:
        ended = subprocess.run(
            [*command, _TRIED],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECS,
            check=False,
        )
    except OSError as error:
        return None, f": {error.strerror}"
    except subprocess.TimeoutExpired:
        return None, f": it hangs for more than {_PATIENCE_SECS} s"
    said = ended.stderr.strip().splitlines()
    return ended.returncode, f": {said[-1][:200]}" if said else ""


def _names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir())


def _command(program: str, calls: Sequence[str], trace: Path) -> list[str]:
    # -y: what is opened relative to a folder's descriptor shows the folder's path.
    # A `?` lets it pass over names that this machine lacks.
    chosen = ",".join(f"?{call}" for call in calls)
    return [program, "-f", "-qq", "-y", "-s", "4096", "-o", str(trace), "-e", f"trace={chosen}"]
