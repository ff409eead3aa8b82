"""A Python implementation in this process, behind the same messages as any other."""

from __future__ import annotations

import signal
from types import FrameType

from pytest_reedbackup.implementations.faults import TimedOut
from reedbase_backup.serve import Adapter, Implementation


class InProcess:
    """Transport to an implementation in this very process."""

    def __init__(self, implementation: Implementation) -> None:
        self._adapter = Adapter(implementation)

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """The adapter's reply; a call past its time is interrupted by SIGALRM."""

        def interrupt(number: int, frame: FrameType | None) -> None:
            raise _Interrupted

        previous = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, timeout_secs)
        try:
            return self._adapter.answer(request)
        except _Interrupted:
            raise TimedOut(
                f"no answer within {timeout_secs:g} s; the call was interrupted"
            ) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def log(self) -> str:
        """Nothing: what the implementation prints is captured by pytest itself."""
        return ""

    def close(self) -> None:
        """Nothing to end."""


class _Interrupted(BaseException):
    """No Exception, so that the implementation's own handlers let it pass."""
