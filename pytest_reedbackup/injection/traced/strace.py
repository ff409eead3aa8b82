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
from typing import NamedTuple

from pytest_reedbackup.model.failures import MissingCapability

OPENS = ("open", "openat", "openat2", "creat")
"""What no restore can do without: opening files."""
RENAMES = ("rename", "renameat", "renameat2")

NOT_REACHED = (
    "it saw no file of the database opened: the work is done by a process that it does not reach"
)
"""Why what strace says of an implementation does not count."""

_PATIENCE_SECS = 20
# Python makes 2,000 calls until it serves; to stop at each takes three times as long as all that.
# From strace 5.3 on, and not of a process that it is attached to.
_QUICKLY = ("--seccomp-bpf",)
_CALL = re.compile(r"^\d+\s+([a-z_0-9]+)\((.*)", re.MULTILINE)
# Renames one file, and then another; nothing else that it does is a rename.
_TRIED = "import os; os.rename('one', 'first'); os.rename('two', 'second')"


def tracing(calls: Sequence[str], trace: Path, *, starts: bool = False) -> list[str]:
    """Return the command that writes the system calls `calls` to `trace`.

    It is to be told whose, or it `starts` a command that follows.
    Raise MissingCapability where strace cannot trace here, or inject nothing.
    """
    program = shutil.which("strace")
    if program is None:
        raise MissingCapability("strace", "it is not installed", tool=True)
    strace = _tried(program)
    if strace.reason:
        raise MissingCapability("strace", strace.reason, tool=True)
    return [*_command(program, calls, trace), *(strace.quickly if starts else ())]


class _Strace(NamedTuple):
    """A strace, as it was found to be here."""

    reason: str = ""
    """Why it is of no use; nothing where it is."""
    quickly: Sequence[str] = ()
    """The options by which a command that it starts stops at no other calls, if it can do that."""


@functools.cache
def _tried(program: str) -> _Strace:
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as name:
        folder = Path(name)
        trace = folder / "trace"
        tracer = _command(program, RENAMES, trace)
        for quickly in (_QUICKLY, ()):
            _, output = _try(folder, [*tracer, *quickly])
            if _has_traced(trace):
                break
        else:
            return _Strace(f"it traces nothing here{output}")
        killed = f"inject={','.join(f'?{call}' for call in RENAMES)}:signal=KILL:when=2"
        status, output = _try(folder, [*tracer, "-e", killed])
        if status != -signal.SIGKILL or _names(folder) != ["first", "trace", "two"]:
            since = "it can from version 4.16 on"
            return _Strace(f"it kills nothing at a system call here ({since}){output}")
    return _Strace(quickly=quickly)


def _has_traced(trace: Path) -> bool:
    lines = trace.read_text(errors="replace") if trace.exists() else ""
    names = [call for call, _ in _CALL.findall(lines)]
    return len([call for call in names if call in RENAMES]) == 2 and '"first"' in lines


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
