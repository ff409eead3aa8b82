"""Calls that stand still at one of their system calls while others work, and then go on.

strace sends SIGSTOP as a system call is entered. The system makes the call first and stops the
process then, so that whatever comes before the next call that is traced comes between the two:
between a look at a name and its use, between the last read of a table and its lock's end.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.traced.attached import Injection, Trace, attached
from pytest_reedbackup.injection.traced.lock_waits import waits_for
from pytest_reedbackup.injection.traced.points import CHANGING, Point
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.traced.system_calls import LOOKING, SystemCall, around, parsed

TOUCHING = (*CHANGING, *LOOKING, "getdents64", "close")
"""The system calls after which the process may be stopped: by which it sees what is there, changes
it, takes a lock or lets it go."""

EACH_CALL = Injection(",".join(f"?{call}" for call in TOUCHING), 1, "signal=SIGSTOP", for_good=True)
"""Stops the process at each of them."""

_STOPPED = b"--- stopped by SIGSTOP ---"
_PAUSE_SECS = 0.0005
_LOOK_SECS = 0.004


def halt_at(point: Point) -> Injection:
    """Return what stops the process at a point, once."""
    return Injection.of_signal(point, "SIGSTOP")


@dataclass
class Halting:
    """A call under way, which stands still now and then."""

    _process: Served
    _trace: Trace
    _future: Future[Answer]
    _seen: int = 0
    _stands: bool = False

    def halts(self) -> bool:
        """Let it go on, and wait until it stands still again; return False where it has ended."""
        self._go_on()
        while True:
            has_ended = self._future.done()  # first: it may have stood still just before
            halted = self._halted()
            if halted > self._seen:
                self._seen, self._stands = halted, True
                return True
            if has_ended:
                return False
            time.sleep(_PAUSE_SECS)

    def answer(self) -> Answer:
        """Let it go on to its end, and return what it answers; raise AdapterFault."""
        while self.halts():
            pass
        return self._future.result()

    def ends_or_waits(self, holding: int, secs: float) -> None:
        """Let it go on, and wait until it has ended; or as `until_done_or_waiting` does."""
        self._go_on()
        until_done_or_waiting(self._future, self._process.pid, holding, secs)

    def around(self, what: str, folder: Path) -> list[str]:
        """Return the calls before it first stood still and after, and `what` happened between.

        Paths are relative to `folder`, the one around the base.
        """
        texts = self._trace.text().partition(_STOPPED.decode())
        before, _, after = ([*parsed(text, "/")] for text in texts)
        return around(before, what, after, folder)

    def calls(self) -> list[SystemCall]:
        """Return the calls that were traced so far."""
        return self._trace.calls()

    def _halted(self) -> int:
        return self._trace.content().count(_STOPPED)

    def _go_on(self) -> None:
        # Sent to one that runs, it would undo a stop that is yet to be seen.
        if not self._stands:
            return
        self._stands = False
        _continue(self._process)


def _continue(process: Served) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)


def until_done_or_waiting(call: Future[Answer], waiting: int, holding: int, secs: float) -> None:
    """Wait until a call of a process `waiting` has ended; or waits for a lock of `holding`.

    For one that waits in another way, or is at work, wait for `secs`.
    """
    until = time.monotonic() + secs
    has_waited = False
    while time.monotonic() < until and not wait([call], _LOOK_SECS).done:
        # Twice, so that what else the process has begun comes to its end.
        waited, has_waited = has_waited, waits_for(waiting, holding)
        if waited and has_waited:
            return


@contextmanager
def halting(
    process: Served, act: Callable[[], Answer], injection: Injection | None
) -> Iterator[Halting]:
    """Begin a call, to stand still where `injection` stops it; it has ended when this is left.

    Raise MissingCapability where strace is of no use, or may not be attached.
    """
    try:
        with attached(process.pid, TOUCHING, injection) as trace, ThreadPoolExecutor(1) as pool:
            halted = Halting(process, trace, pool.submit(act))
            try:
                yield halted
            finally:
                with suppress(Exception):
                    halted.answer()
    finally:
        # Its answer may have come before it stands still at the call that wrote it.
        _continue(process)
