"""Which row has the next turn: all have a few before any has more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol


class Turns(Protocol):
    """What is scheduled: a row's turns."""

    @property
    def is_over(self) -> bool:
        """Whether there is none left."""
        ...

    @property
    def looks_passed(self) -> int:
        """How far it is."""
        ...

    def turn(self) -> None:
        """Have the next one."""
        ...


def take_turns(
    rows: Sequence[Turns], deadline: float, clock: Callable[[], float] = time.monotonic
) -> None:
    """Have turns until none is left or `deadline` has come; one that has begun is ended.

    Rows go in order until each was looked at once; then the one that is least far.
    """
    while clock() < deadline and (left := [row for row in rows if not row.is_over]):
        min(left, key=lambda row: row.looks_passed).turn()
