"""A Python implementation in this process, behind the same messages as any other."""

from __future__ import annotations

import contextvars
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from pytest_reedbackup.implementations.clocks.in_process import InProcessClock
from pytest_reedbackup.model.adapter_faults import Crashed, TimedOut
from reedbase_backup.adapter.loading import PythonImplementation
from reedbase_backup.adapter.serving import Adapter

# How often a call that goes on after it was interrupted is interrupted again.
_AGAIN_SECS = 2.0


class InProcess:
    """Transport to an implementation in this very process."""

    def __init__(
        self, implementation: PythonImplementation, clock: InProcessClock | None = None
    ) -> None:
        """Serve an implementation; `clock` is the one that it sees, by default the real one."""
        self._adapter = Adapter(implementation)
        self._clock = clock or InProcessClock()

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Return the adapter's reply; give up a call past its time."""
        try:
            return _within(timeout_secs, lambda: self._answer(request))
        except _Interrupted:
            raise TimedOut(
                f"no answer within {timeout_secs:g} s; the call was {_given_up()}"
            ) from None
        except SystemExit as end:
            # In a process of its own it would have ended that.
            raise Crashed(f"the implementation called exit with status {end.code}") from end

    def _answer(self, request: bytes) -> bytes:
        with self._clock.in_force():
            return self._adapter.answer(request)

    def finish(self, timeout_secs: float) -> None:
        """Do nothing: there is nothing to wait for."""

    def log(self) -> str:
        """Return nothing: what the implementation prints is captured by pytest itself."""
        return ""

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def _given_up() -> str:
    is_main = threading.current_thread() is threading.main_thread()
    return "interrupted" if is_main else "left alone in a thread of its own"


class _Interrupted(BaseException):
    """No Exception, so that the implementation's own handlers let it pass."""


class _Alarm:
    """A handler that raises _Interrupted where it rings, while it is armed."""

    def __init__(self) -> None:
        self.armed = True
        self.rang = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            self.rang = True
            raise _Interrupted


def _within(timeout_secs: float, call: Callable[[], bytes]) -> bytes:
    """Return what `call` does. Raise _Interrupted where it takes longer, or swallowed that before.

    Whoever else waits for SIGALRM, as pytest-timeout does, gets handler and
    timer back, less the time that passed.
    """
    if threading.current_thread() is not threading.main_thread():
        return _within_elsewhere(timeout_secs, call)
    alarm = _Alarm()
    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, alarm)
    others_secs, others_interval = signal.getitimer(signal.ITIMER_REAL)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, timeout_secs, _AGAIN_SECS)
            answer = call()
        finally:
            alarm.armed = False
    finally:
        alarm.armed = False  # where it rang on the very line above
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if others_secs:
            left = others_secs - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), others_interval)
    if alarm.rang:
        raise _Interrupted
    return answer


def _within_elsewhere(timeout_secs: float, call: Callable[[], bytes]) -> bytes:
    """Do the same outside of the main thread, where no signal may be waited for.

    The call has a thread of its own, which is left alone when its time is up:
    nothing else can be done to it.
    """
    context = contextvars.copy_context()  # it tells which case runs
    ended: queue.SimpleQueue[tuple[bytes, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            ended.put((context.run(call), None))
        except BaseException as error:  # noqa: BLE001 - handed to who waits for it
            ended.put((b"", error))

    threading.Thread(target=run, name="reedbackup-call", daemon=True).start()
    try:
        answer, error = ended.get(timeout=timeout_secs)
    except queue.Empty:
        raise _Interrupted from None
    if error is not None:
        raise error
    return answer
