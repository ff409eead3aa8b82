"""A process that waits to be told to begin: by then strace is attached to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from pytest_reedbackup.implementations.answers import Answer, Answered, Refused
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut

Change: TypeAlias = Sequence[str] | Callable[[Path], object]
"""What changes a database: a command line, in which {base} stands for the database's path, or a
function that takes the path and is called in a process of its own."""

# It becomes the command, and makes next to no system calls before.
_SHELL = ("/bin/sh", "-c", 'read -r begin; exec "$@"', "sh")
_LAST_BYTES = 2000
_PAUSE_SECS = 0.002

_Status = Callable[[], int | None]
"""Says how a process ended, as `subprocess` does; None while it runs."""


@dataclass(frozen=True)
class Waiting:
    """A process that waits."""

    pid: int
    secs: float
    """The longest that it may take."""
    begin: IO[bytes]
    status: _Status
    output: IO[bytes]

    def run(self) -> Answer:
        """Have it begin, and return how it ended: exit status 0 is a success.

        Raise Crashed where a signal ended it, TimedOut where it does not end.
        """
        started = time.monotonic()
        self.begin.write(b"\n")
        self.begin.close()
        while (status := self.status()) is None:
            if time.monotonic() - started > self.secs:
                raise TimedOut(f"it still ran after {self.secs:g} s", self._said())
            time.sleep(_PAUSE_SECS)
        elapsed_ns = int((time.monotonic() - started) * 10**9)
        if status == 0:
            return Answered(None, elapsed_ns)
        if status < 0:
            raise Crashed(f"it was ended by signal {-status}", self._said(), status)
        return Refused(f"exit status {status}", {}, self._said(), elapsed_ns)

    def _said(self) -> str:
        size = os.fstat(self.output.fileno()).st_size
        said = os.pread(self.output.fileno(), _LAST_BYTES, max(0, size - _LAST_BYTES))
        return said.decode(errors="replace").strip() or "it printed nothing"


@contextmanager
def waiting(change: Change, base: Path, secs: float) -> Iterator[Waiting]:
    """Start a process that will change the database at `base`, and end it.

    It leads a session of its own, and what else is in that ends with it.
    """
    begin_read, begin_write = os.pipe()
    with (
        os.fdopen(begin_read, "rb", 0) as begin,
        os.fdopen(begin_write, "wb", 0) as beginning,
        tempfile.TemporaryFile() as output,
    ):
        if callable(change):
            pid, status = _forked(change, base, (begin, beginning, output))
        else:
            pid, status = _started(change, base, begin, output)
        try:
            yield Waiting(pid, secs, beginning, status, output)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            while status() is None:
                time.sleep(_PAUSE_SECS)


def _started(
    command: Sequence[str], base: Path, begin: IO[bytes], output: IO[bytes]
) -> tuple[int, _Status]:
    words = [word.replace("{base}", str(base)) for word in command]
    process = subprocess.Popen(
        [*_SHELL, *words], stdin=begin, stdout=output, stderr=output, start_new_session=True
    )
    return process.pid, process.poll


def _forked(
    function: Callable[[Path], object], base: Path, files: tuple[IO[bytes], ...]
) -> tuple[int, _Status]:
    ready_read, ready_write = os.pipe()
    with os.fdopen(ready_read, "rb", 0) as ready, os.fdopen(ready_write, "wb", 0) as readying:
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(function, base, *files, readying)
        )
        with warnings.catch_warnings():
            # Python 3.12 warns of forks where there are threads, as pytest-xdist has them.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        ready.read(1)
    assert process.pid is not None
    return process.pid, lambda: process.exitcode


def _child(
    function: Callable[[Path], object],
    base: Path,
    begin: IO[bytes],
    beginning: IO[bytes],
    output: IO[bytes],
    readying: IO[bytes],
) -> None:
    """Call the function, in the forked process; multiprocessing makes an exit status of it."""
    os.setsid()
    for standard in (1, 2):
        os.dup2(output.fileno(), standard)
    sys.stdout = sys.stderr = os.fdopen(1, "w", 1)
    beginning.close()
    readying.write(b"\n")
    begin.read(1)
    function(base)
