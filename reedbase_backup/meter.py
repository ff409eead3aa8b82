"""What a call tells of itself while it works, for whoever looks from another thread."""

from __future__ import annotations

from collections.abc import Callable


class Meter:
    """How far a call is, and whether what it does already counts; by itself it does nothing."""

    def __init__(self) -> None:
        self.is_settled = False
        """Whether all is done that is promised: what comes now, if anything, only tidies up."""
        self._counted = 0
        self._measure: Callable[[], int] | None = None

    def watch(self, measure: Callable[[], int]) -> None:
        """Have `measure` return how many bytes are done, beside those counted, from now on."""
        self._measure = measure

    def count(self, done: int) -> None:
        """Count `done` bytes for good; what was watched, if anything, is over."""
        self._measure = None
        self._counted += done

    def settle(self) -> None:
        """Say that whatever comes now, the work is done."""
        self.is_settled = True

    def done(self) -> int | None:
        """Return how many bytes are done; None where that cannot be told."""
        try:
            return self._counted + (self._measure() if self._measure else 0)
        except ValueError:
            # What it looks at is closed by now.
            return None
