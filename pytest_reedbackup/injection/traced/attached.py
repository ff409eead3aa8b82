"""strace attached to a process that runs already, so that what it counts begins with the call.

Counted from the start of a process, the n-th call of a kind would be one of its interpreter's,
another on each machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pytest_reedbackup.injection.traced.points import Point
from pytest_reedbackup.injection.traced.sessions import session
from pytest_reedbackup.injection.traced.strace import tracing
from pytest_reedbackup.injection.traced.system_calls import SystemCall, parsed
from pytest_reedbackup.model.failures import MissingCapability

_PATIENCE_SECS = 10.0
_PAUSE_SECS = 0.001
_IDLE_SECS = 2.0
_SLEEPING = "S"
_STOPS = 2
_YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


@dataclass(frozen=True, slots=True)
class Injection:
    """What happens to one system call, as it is entered.

    `number` counts from 1 those of the name `call` that a thread makes, each thread for itself;
    it happens in the first thread that comes so far. `effect` is in strace's words.
    """

    call: str
    number: int
    effect: str
    for_good: bool = False
    """Whether it happens to all later ones, too."""

    @classmethod
    def of_signal(cls, point: Point, signal: str) -> Injection:
        """Return that a signal, as in `SIGKILL`, comes at a point."""
        return cls(point.call, point.number, f"signal={signal}")

    @classmethod
    def of_error(cls, point: Point, error: str, *, for_good: bool = False) -> Injection:
        """Return that the system call at a point fails."""
        return cls(point.call, point.number, f"error={error}", for_good)

    @property
    def options(self) -> Sequence[str]:
        """Return the options of strace."""
        on = "+" if self.for_good else ""
        return ("-e", f"inject={self.call}:{self.effect}:when={self.number}{on}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Every system call of these names fails; where `paths` are given, those about one of them."""

    calls: Sequence[str]
    error: str
    paths: Sequence[str] = ()

    @property
    def options(self) -> Sequence[str]:
        """Return the options of strace."""
        refused = ",".join(f"?{call}" for call in self.calls)
        only = [option for path in self.paths for option in ("-P", path)]
        return ("-e", f"inject={refused}:error={self.error}", *only)


class Trace:
    """What strace has seen so far: while it is attached in a file, afterwards here."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._whole: bytes | None = None

    def content(self) -> bytes:
        """Return it as it was written."""
        if self._whole is not None:
            return self._whole
        with suppress(FileNotFoundError):
            return self._file.read_bytes()
        return b""

    def text(self) -> str:
        """Return it as a text."""
        return self.content().decode(errors="replace")

    def calls(self) -> list[SystemCall]:
        """Return the calls, in the order in which they ended."""
        return list(parsed(self.text(), "/"))

    def close(self) -> None:
        """Keep what there is, for the file is going."""
        self._whole = self.content()


@contextmanager
def attached(
    pid: int, calls: Sequence[str], injection: Injection | Refusal | None = None
) -> Iterator[Trace]:
    """Trace all processes of the session that `pid` leads, and inject something.

    The trace is whole when this is left. Raise MissingCapability where strace is of no use, or may
    not be attached.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        file = Path(folder) / "trace"
        with closing(Trace(file)) as trace, _attached(pid, file, calls, injection):
            yield trace


@contextmanager
def _attached(
    pid: int, trace: Path, calls: Sequence[str], injection: Injection | Refusal | None
) -> Iterator[None]:
    # Nobody looks at what is read and written.
    command = [*tracing(calls, trace), "-xx", "-s", "0"]
    if injection is not None:
        command += injection.options
    for each in session(pid):
        command += ["-p", str(each)]
    idle = {task: _status(task) for task in _tasks(pid)}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        try:
            _wait_for(tracer, pid)
            _wait_until_idle_again(idle)
            yield
        finally:
            with suppress(ProcessLookupError):
                tracer.send_signal(signal.SIGINT)  # it lets go of them


def _wait_for(tracer: subprocess.Popen[bytes], leader: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECS
    while not all(_status(task).tracer == tracer.pid for task in _tasks(leader)):
        if tracer.poll() is not None or time.monotonic() > deadline:
            tracer.kill()
            assert tracer.stderr
            complaint = tracer.stderr.read().decode(errors="replace").strip() or "without a word"
            sentence = f"it cannot be attached: {complaint}{_remedy()}"
            raise MissingCapability("strace", sentence, tool=True)
        time.sleep(_PAUSE_SECS)


def _remedy() -> str:
    """Return what to do where the kernel keeps users from tracing what they have started."""
    with suppress(FileNotFoundError):
        if os.geteuid() and _YAMA.read_text().strip() != "0":
            return f"; run as root, or write 0 to {_YAMA}"
    return ""


def _tasks(leader: int) -> Iterator[Path]:
    for process in session(leader):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield from Path(f"/proc/{process}/task").iterdir()


class _Status(NamedTuple):
    """What /proc says of a thread."""

    tracer: int = 0
    state: str = ""
    waits: int = 0
    """How often it has waited for something so far."""


def _status(task: Path) -> _Status:
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = (line.split() for line in (task / "status").read_text().splitlines())
        said = {words[0]: words[1] for words in lines if len(words) > 1}
        waits = int(said["voluntary_ctxt_switches:"])
        return _Status(int(said["TracerPid:"]), said["State:"], waits)
    return _Status()


def _wait_until_idle_again(before: Mapping[Path, _Status]) -> None:
    """Wait until strace has stopped each thread, and it waits for a request again.

    The read that waits for it is one that strace counts only if it had to begin anew by then.
    Each stops as it is interrupted and as it begins anew, before it waits. One that works all
    the time is not waited for.
    """
    deadline = time.monotonic() + _IDLE_SECS
    left = list(before)
    while left and time.monotonic() < deadline:
        left = [task for task in left if not _is_idle_again(_status(task), before[task])]
        time.sleep(_PAUSE_SECS if left else 0)


def _is_idle_again(now: _Status, before: _Status) -> bool:
    has_ended = not now.state
    return has_ended or (now.state == _SLEEPING and now.waits >= before.waits + _STOPS)
