"""The clock of an implementation in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import time_machine

from pytest_reedbackup.implementations.clocks.moved import MovedClock


class InProcessClock(MovedClock):
    """The moved clock of this very process, while an implementation in it is called.

    The time functions of Python are replaced, for all threads and for who has
    imported them before; the monotonic clocks, by which durations are measured,
    and the times of files are as they are. Code in C that asks the system is not
    reached.
    """

    way = "time-machine"

    def __init__(self) -> None:
        self.reset()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Have this process see it, where it is not the real time."""
        if not self.offset_secs:
            yield
            return
        with time_machine.travel(time.time() + self.offset_secs, tick=True):
            yield
