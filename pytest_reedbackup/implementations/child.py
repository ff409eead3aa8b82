"""An implementation behind an adapter in a child process, over stdin and stdout."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Protocol

from pytest_reedbackup.implementations.clocks.faketime import remove_traces
from pytest_reedbackup.model.adapter_faults import (
    Crashed,
    ProtocolViolation,
    TimedOut,
    Unusable,
    excerpt,
)
from reedbase_backup.adapter.protocol import MAX_LINE_BYTES

_CHUNK = 1 << 16
_LOG_BYTES = 4000
_LOG_LINES = 20
_GRACE_SECS = 2.0
# How often a silent process is looked at: one that it started may hold its
# stdout open after it.
_LOOK_SECS = 0.5


class Process(Protocol):
    """What is used of `subprocess.Popen`: the leader of a session of its own."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    @property
    def stdin(self) -> IO[bytes] | None:
        """The pipe to it."""
        ...

    @property
    def stdout(self) -> IO[bytes] | None:
        """The pipe from it."""
        ...

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status. Raise TimeoutExpired where it still runs then."""
        ...


Start = Callable[[IO[bytes]], Process]
"""Starts a process that writes its stderr to the file."""


class ChildProcess:
    """Transport to an adapter process; the process group ends with it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        start: Start | None = None,
    ) -> None:
        """Start `command` with `environment` beside this process's own, or what `start` does."""
        self._command = shlex.join(command)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._received = bytearray()
        try:
            self._process = (
                start(self._stderr) if start else _popen(command, environment, self._stderr)
            )
        except OSError as error:
            self._stderr.close()
            raise Unusable(f"cannot start {self._command!r}: {error.strerror}") from error
        assert self._process.stdin
        assert self._process.stdout
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)

    @property
    def pid(self) -> int:
        """The id of the process that was started; an adapter may be a child of that."""
        return self._process.pid

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Send a line and wait for the reply's line."""
        deadline = time.monotonic() + timeout_secs
        try:
            self._expect_silence()
            self._send(request + b"\n", deadline)
            return self._receive(deadline)
        except _DeadlineError:
            raise TimedOut(
                f"no reply from {self._command!r} within {timeout_secs:g} s;"
                " its process group was killed",
                self._end(),
            ) from None
        except (BrokenPipeError, EOFError):
            raise self._crashed() from None

    def finish(self, timeout_secs: float) -> None:
        """Wait until the process has ended by itself."""
        try:
            status = self._process.wait(timeout_secs)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{self._command!r} still ran {timeout_secs:g} s after its reply; it was killed",
                self._end(),
            ) from None
        if status:
            raise self._crashed()
        with suppress(EOFError):
            self._expect_silence()
        self.close()

    def log(self) -> str:
        """Return the last lines of the process's stderr."""
        if self._stderr.closed:
            return ""
        size = os.fstat(self._stderr.fileno()).st_size
        content = os.pread(self._stderr.fileno(), _LOG_BYTES, max(0, size - _LOG_BYTES))
        lines = content.decode("utf-8", "backslashreplace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_LINES:])

    def close(self) -> None:
        """Close stdin, which ends an adapter; kill it where it does not."""
        if self._stderr.closed:
            return
        assert self._process.stdin
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECS)
        self._end()

    def _expect_silence(self) -> None:
        """Raise ProtocolViolation for what came since the last reply: nothing asked for it."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdout, selectors.EVENT_READ)
            if not self._received and ready.select(0):
                self._received += self._read()
        if self._received:
            raise ProtocolViolation(
                "output that no request asked for",
                bytes(self._received),
                self._end(),
            )

    def _send(self, data: bytes, deadline: float) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdin, selectors.EVENT_WRITE)
            while data:
                self._wait(ready, deadline)
                data = data[os.write(self._stdin, data) :]

    def _receive(self, deadline: float) -> bytes:
        searched = 0
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdout, selectors.EVENT_READ)
            while (end := self._received.find(b"\n", searched)) < 0:
                searched = len(self._received)
                if searched > MAX_LINE_BYTES:
                    break
                self._wait(ready, deadline)
                self._received += self._read()
        if not 0 <= end <= MAX_LINE_BYTES:
            line = bytes(self._received)
            raise ProtocolViolation("a line of more than 64 MiB", line, self._end())
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _read(self) -> bytes:
        part = os.read(self._stdout, _CHUNK)
        if not part:
            raise EOFError
        return part

    def _wait(self, ready: selectors.BaseSelector, deadline: float) -> None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _DeadlineError
            if ready.select(min(left, _LOOK_SECS)):
                return
            if self._process.poll() is not None and not ready.select(0):
                raise EOFError

    def _crashed(self) -> Crashed:
        try:
            status = self._process.wait(_GRACE_SECS)
        except subprocess.TimeoutExpired:
            log = self._end()
            return Crashed(f"{self._command!r} closed its stdout and had to be killed", log)
        how = (
            f"ended with exit status {status}" if status >= 0 else f"was ended by {_name(-status)}"
        )
        partial = f" in the midst of a line: {excerpt(self._received)}" if self._received else ""
        return Crashed(f"{self._command!r} {how}{partial}", self._end(), status)

    def _end(self) -> str:
        """Kill what is left of the process group, release everything and return the log."""
        # Nothing may be left of it; macOS answers EPERM where only a zombie is.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        remove_traces(self._process.pid)
        log = self.log()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                stream.close()
        return log


def _popen(
    command: Sequence[str], environment: Mapping[str, str] | None, stderr: IO[bytes]
) -> Process:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(environment or {})},
        # A group of its own, so that what it started ends with it.
        start_new_session=True,
        bufsize=0,
    )


class _DeadlineError(Exception):
    pass


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name of its own
        return f"signal {number}"
