"""What there may be too little of, in steps from nothing to enough."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_reedbackup.injection.surroundings.filled import inodes_for, room_for
from pytest_reedbackup.injection.surroundings.limits import Limit, limited
from pytest_reedbackup.injection.surroundings.ordeals import Hardship, Imposed, Ordeals
from pytest_reedbackup.injection.sweeps.sampling import bisected
from pytest_reedbackup.model.failures import BrokenPromise

_MOST_DOUBLINGS = 8


@dataclass(frozen=True)
class Scarcity:
    """Something that a call needs some of."""

    unit: str
    step: int
    guess: int
    """What may be enough; it is tried, and doubled until it is."""
    leave: Callable[[int], Imposed]
    """Leaves so many of the unit."""
    may_kill: bool = False

    def hardships(self, ordeals: Ordeals, *, is_full: bool) -> list[Hardship]:
        """Return them all, in an even order; unless `is_full`, the guess is taken for enough.

        Raise BrokenPromise where nothing is enough.
        """
        enough = self._enough(ordeals) if is_full else self.guess
        return list(bisected([self._hardship(left) for left in range(0, enough + 1, self.step)]))

    def _enough(self, ordeals: Ordeals) -> int:
        left = self.guess
        for _ in range(_MOST_DOUBLINGS):
            if ordeals.stands(self._hardship(left)):
                return left
            left *= 2
        found = f"an error with {left // 2} {self.unit} left"
        raise BrokenPromise("a call with more than enough", expected="success", found=found)

    def _hardship(self, left: int) -> Hardship:
        return Hardship(
            f"{left} {self.unit}",
            self.leave(left),
            row=self.unit,
            number=left // self.step + 1,
            may_kill=self.may_kill,
        )


def _on_disk(leave: Callable[[Path, int], AbstractContextManager[None]], size: int) -> _Leave:
    return lambda left: lambda base, process, trace: leave(base.parent, left * size)


def _by_limit(limit: Limit, size: int) -> _Leave:
    return lambda left: lambda base, process, trace: limited(process.pid, limit, left * size)


_Leave = Callable[[int], Imposed]

ROOM = Scarcity("KiB", 4, 128, _on_disk(room_for, 1 << 10))
ROOM_ON_EXT4 = replace(ROOM, unit="KiB on ext4")
INODES = Scarcity("inodes", 1, 16, _on_disk(inodes_for, 1))
FILE_SIZE = Scarcity("bytes", 512, 8192, _by_limit(Limit.FILE_SIZE, 1))
OPEN_FILES = Scarcity("open files", 1, 16, _by_limit(Limit.OPEN_FILES, 1))
MEMORY = Scarcity("KiB of memory", 64, 2048, _by_limit(Limit.ADDRESS_SPACE, 1 << 10), may_kill=True)
