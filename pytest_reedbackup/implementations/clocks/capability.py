"""The clock of an adapter with the capability `clock`, which is told the time."""

from __future__ import annotations

import time

_NANO = 10**9


class CapabilityClock:
    """The time that goes with each create_backup (capability `clock`)."""

    way = "the adapter's capability `clock`"
    is_settable = True

    def __init__(self) -> None:
        self.reset()

    def seconds(self) -> int:
        """Return the time that goes with the next call."""
        return self._seconds

    def set(self, seconds: int) -> None:
        """Set it to any u64 second."""
        self._seconds = seconds

    def advance(self, seconds: int = 1) -> None:
        """Move it on, which costs nothing."""
        self._seconds += seconds

    def reset(self) -> None:
        """Set it to the current second."""
        self._seconds = int(time.time())

    def params(self) -> dict[str, int]:
        """Return `now_ns`, late in the second, so that rounding up shows."""
        return {"now_ns": self._seconds * _NANO + _NANO * 3 // 4}
