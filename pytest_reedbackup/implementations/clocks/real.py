"""The clock of an implementation that no other clock reaches."""

from __future__ import annotations

import time

from pytest_reedbackup.model.failures import MissingCapability


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
        """Return the current second."""
        return int(time.time())

    def set(self, seconds: int) -> None:
        """Raise MissingCapability."""
        raise MissingCapability("clock", self._why, tool=self._tool)

    def advance(self, seconds: int = 1) -> None:
        """Wait until that many seconds have begun; only for a few."""
        if seconds > self._PATIENCE_SECS:
            self.set(seconds)
        target = self.seconds() + seconds
        while (left := target - time.time()) > 0:
            time.sleep(left)

    def reset(self) -> None:
        """Do nothing: it was never set."""

    def params(self) -> dict[str, int]:
        """Return nothing: the implementation reads the clock itself."""
        return {}
