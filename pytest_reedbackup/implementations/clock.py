"""The time that an implementation sees: one interface, four ways to set it.

In the order of preference: the adapter's capability `clock`; moving the clock of
an object in this process, or with libfaketime that of an unmodified child
process; waiting for real seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import time_machine

from pytest_reedbackup.model.failures import MissingCapability

NANO = 10**9
# Many clocks count nanoseconds in 64 bits, Python's and Go's for two: they end in 2262.
_LATEST = (2**63 - 1) // NANO


class Clock(Protocol):
    """What the implementation takes for the current time."""

    way: str
    """How it is set, for the report."""
    is_settable: bool
    """Whether `set` works and `advance` costs nothing."""

    def seconds(self) -> int:
        """The implementation's current time, in Unix seconds."""
        ...

    def set(self, seconds: int) -> None:
        """Makes it `seconds`, backwards too. Raises MissingCapability where it cannot."""
        ...

    def advance(self, seconds: int = 1) -> None:
        """Lets at least `seconds` pass, to the start of a second where it can."""
        ...

    def reset(self) -> None:
        """Makes it the real time again, where it was set; for the next case."""
        ...

    def params(self) -> dict[str, int]:
        """What create_backup is to be sent."""
        ...


class CapabilityClock:
    """Tells the time with each create_backup (capability `clock`)."""

    way = "the adapter's capability `clock`"
    is_settable = True

    def __init__(self) -> None:
        self.reset()

    def seconds(self) -> int:
        """The time that the next call is told."""
        return self._seconds

    def set(self, seconds: int) -> None:
        """Any u64 second."""
        self._seconds = seconds

    def advance(self, seconds: int = 1) -> None:
        """Costs nothing."""
        self._seconds += seconds

    def reset(self) -> None:
        """The current second."""
        self._seconds = int(time.time())

    def params(self) -> dict[str, int]:
        """`now_ns`, late in the second, so that rounding up shows."""
        return {"now_ns": self._seconds * NANO + NANO * 3 // 4}


class MovedClock:
    """A clock that is as far from the real one as it was set, and keeps running.

    So an implementation that waits for the next second gets there. `way` and
    `_move` say how an implementation is shown it.
    """

    way = ""
    is_settable = True

    def seconds(self) -> int:
        """The implementation's current second."""
        return int(time.time() + self.offset_secs)

    def set(self, seconds: int) -> None:
        """Any second from 1970 to 2262."""
        if not 0 <= seconds <= _LATEST:
            raise MissingCapability("clock", f"{self.way} cannot show the second {seconds}")
        # A tenth into the second: rounding must not show the one before.
        self._move(seconds + 0.1 - time.time())

    def advance(self, seconds: int = 1) -> None:
        """Costs nothing."""
        self.set(self.seconds() + seconds)

    def reset(self) -> None:
        """The real time."""
        self._move(0.0)

    def params(self) -> dict[str, int]:
        """Nothing: the implementation does not know."""
        return {}

    def _move(self, offset_secs: float) -> None:
        self.offset_secs = offset_secs


class InProcessClock(MovedClock):
    """Moves the clock of this very process, while an implementation in it is called.

    The time functions of Python are replaced, for all threads and for who has
    imported them before; the monotonic clocks, by which durations are measured,
    and the times of files are as they are. Code in C that asks the system is not
    reached.
    """

    way = "time-machine"

    def __init__(self) -> None:
        self.reset()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows it, where it is not the real time."""
        if not self.offset_secs:
            yield
            return
        with time_machine.travel(time.time() + self.offset_secs, tick=True):
            yield


class RealClock:
    """The machine's own clock, which only waits.

    `why` says why it is not another, and `tool` whether that is for want of a
    tool that this machine could have.
    """

    way = "real seconds"
    is_settable = False

    _PATIENCE_SECS = 3

    def __init__(self, why: str, *, tool: bool) -> None:
        self._why = why
        self._tool = tool

    def seconds(self) -> int:
        """The current second."""
        return int(time.time())

    def set(self, seconds: int) -> None:
        """Never possible."""
        raise MissingCapability("clock", self._why, tool=self._tool)

    def advance(self, seconds: int = 1) -> None:
        """Waits until that many seconds have begun; only for a few."""
        if seconds > self._PATIENCE_SECS:
            self.set(seconds)
        target = self.seconds() + seconds
        while (left := target - time.time()) > 0:
            time.sleep(left)

    def reset(self) -> None:
        """Nothing: it was never set."""

    def params(self) -> dict[str, int]:
        """Nothing: the implementation reads the clock itself."""
        return {}
