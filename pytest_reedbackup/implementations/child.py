"""An implementation behind an adapter in a child process, over stdin and stdout."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

from pytest_reedbackup.implementations.faults import Crashed, ProtocolViolation, TimedOut, Unusable
from reedbase_backup.protocol import MAX_LINE_BYTES

_CHUNK = 1 << 16
_LOG_BYTES = 4000
_LOG_LINES = 20
_GRACE_SECS = 2.0


class ChildProcess:
    """Transport to an adapter process; the process group ends with it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = shlex.join(command)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._received = b""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env={**os.environ, **(environment or {})},
                # A group of its own, so that what it started ends with it.
                start_new_session=True,
                bufsize=0,
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

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Sends a line and waits for the reply's line."""
        deadline = time.monotonic() + timeout_secs
        try:
            self._send(request + b"\n", deadline)
            return self._receive(deadline)
        except _DeadlineError:
            log = self._end()
            raise TimedOut(
                f"no reply from {self._command!r} within {timeout_secs:g} s;"
                " the process was killed (--reedbackup-timeout sets another limit)",
                log,
            ) from None
        except (BrokenPipeError, EOFError):
            raise self._crashed() from None

    def log(self) -> str:
        """The last lines of the process's stderr."""
        if self._stderr.closed:
            return ""
        size = os.fstat(self._stderr.fileno()).st_size
        content = os.pread(self._stderr.fileno(), _LOG_BYTES, max(0, size - _LOG_BYTES))
        lines = content.decode("utf-8", "backslashreplace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LOG_LINES:])

    def close(self) -> None:
        """Closes stdin, which ends an adapter; kills it where it does not."""
        if self._process.poll() is None:
            self._process.stdin.close()  # type: ignore[union-attr]
            try:
                self._process.wait(_GRACE_SECS)
            except subprocess.TimeoutExpired:
                self._kill()
        self._release()

    def _send(self, data: bytes, deadline: float) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdin, selectors.EVENT_WRITE)
            while data:
                _wait(ready, deadline)
                data = data[os.write(self._stdin, data) :]

    def _receive(self, deadline: float) -> bytes:
        parts, size = [self._received], len(self._received)
        with selectors.DefaultSelector() as ready:
            ready.register(self._stdout, selectors.EVENT_READ)
            while b"\n" not in parts[-1]:
                if size > MAX_LINE_BYTES:
                    log = self._end()
                    raise ProtocolViolation("a line of more than 64 MiB", b"".join(parts), log)
                _wait(ready, deadline)
                part = os.read(self._stdout, _CHUNK)
                if not part:
                    raise EOFError
                parts.append(part)
                size += len(part)
        line, _, self._received = b"".join(parts).partition(b"\n")
        return line

    def _crashed(self) -> Crashed:
        try:
            status = self._process.wait(_GRACE_SECS)
        except subprocess.TimeoutExpired:
            log = self._end()
            return Crashed(f"{self._command!r} closed its stdout and had to be killed", log)
        log = self._end()
        if status < 0:
            return Crashed(f"{self._command!r} was ended by {signal.Signals(-status).name}", log)
        return Crashed(f"{self._command!r} ended with exit status {status}", log)

    def _end(self) -> str:
        """Kills what is left and returns the log."""
        self._kill()
        log = self.log()
        self._release()
        return log

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()

    def _release(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                stream.close()


class _DeadlineError(Exception):
    pass


def _wait(ready: selectors.BaseSelector, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not ready.select(left):
        raise _DeadlineError
