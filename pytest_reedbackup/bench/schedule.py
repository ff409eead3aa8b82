"""Which row has the next turn: all have a few before any has more, and others use a row's pause."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pytest_reedbackup.bench.disk import Disk


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

    @property
    def makes_many_files(self) -> bool:
        """Whether a turn must wait until new inodes are cheap."""
        ...

    def turn(self) -> None:
        """Have the next one."""
        ...


def take_turns(
    rows: Sequence[Turns],
    disk: Disk,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have turns until none is left or `deadline` has come; one that has begun is ended.

    Rows go in order until each was looked at once; then the one that is least far. One
    whose turn must wait for the disk lets others have theirs, and only when all must
    wait nothing is done.
    """
    while clock() < deadline and (left := [row for row in rows if not row.is_over]):
        ready = [row for row in left if not (row.makes_many_files and disk.wait_secs)]
        if ready:
            min(ready, key=lambda row: row.looks_passed).turn()
        else:
            sleep(min(disk.wait_secs, max(deadline - clock(), 0.0)))
