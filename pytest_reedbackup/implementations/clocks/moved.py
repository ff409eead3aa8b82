"""A clock that is ahead of the real one, or behind it."""

from __future__ import annotations

import time

from pytest_reedbackup.model.failures import MissingCapability

# Many clocks count nanoseconds in 64 bits, Python's and Go's for two: they end in 2262.
_LATEST = (2**63 - 1) // 10**9


class MovedClock:
    """A clock that is as far from the real one as it was set, and keeps running.

    So an implementation that waits for the next second gets there. `way` and
    `_move` say how an implementation gets to see it.
    """

    way = ""
    is_settable = True

    def seconds(self) -> int:
        """Return the implementation's current second."""
        return int(time.time() + self.offset_secs)

    def set(self, seconds: int) -> None:
        """Move it to any second from 1970 to 2262."""
        if not 0 <= seconds <= _LATEST:
            raise MissingCapability("clock", f"{self.way} cannot show the second {seconds}")
        # A tenth into the second: rounding must not show the one before.
        self._move(seconds + 0.1 - time.time())

    def advance(self, seconds: int = 1) -> None:
        """Move it on, which costs nothing."""
        self.set(self.seconds() + seconds)

    def reset(self) -> None:
        """Move it to the real time."""
        self._move(0.0)

    def params(self) -> dict[str, int]:
        """Return nothing: the implementation does not know of it."""
        return {}

    def _move(self, offset_secs: float) -> None:
        self.offset_secs = offset_secs
