"""Turns: the contestants of a row do its job one after the other, in alternating order."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from pytest_reedbackup.bench.contestants import Contestant
from pytest_reedbackup.bench.rows import Job, Row

_AVOIDED_SECS = 36.0
"""ext4 gives no inode away that was freed in the last 35 s (Linux, fs/ext4/ialloc.c)."""


class Beside(Struct, frozen=True):
    """An implementation and a peer, in seconds by turn."""

    peer: str
    own_secs: Sequence[float]
    peer_secs: Sequence[float]
    target: float | None
    """How many times as fast as the peer it is to be."""

    @property
    def times(self) -> float:
        """Return how many times as fast as the peer it is: the median of the turns."""
        return statistics.median(self._times)

    @property
    def interval(self) -> tuple[float, float]:
        """Return where half of the turns lie, from the second lowest of seven to its like."""
        aside = max(0, len(self._times) // 4)
        return self._times[aside], self._times[-1 - aside]

    @property
    def _times(self) -> Sequence[float]:
        pairs = zip(self.own_secs, self.peer_secs, strict=True)
        return sorted(peer / max(own, 1e-9) for own, peer in pairs)

    @property
    def is_reached(self) -> bool:
        """Whether it is as fast as it is to be; so it is where nothing is said."""
        return self.target is None or self.times >= self.target


class Measured(Struct, frozen=True):
    """What came of a row for one implementation."""

    row: str
    what: str
    implementation: str
    own_secs: Sequence[float]
    beside: Sequence[Beside]

    @property
    def median_secs(self) -> float:
        """Return what the implementation takes."""
        return statistics.median(self.own_secs)


def measure(
    row: Row, contestants: Sequence[Contestant], rounds: int, pause: Callable[[float], None]
) -> Measured:
    """Return what the first of `contestants` takes for the job, beside the others.

    One turn goes before, for warm caches. `pause` is called, for so many seconds, where files
    are to be made soon after others were removed.
    """
    own, *peers = contestants
    taken: Mapping[Contestant, list[float]] = {contestant: [] for contestant in contestants}
    for contestant in contestants:
        contestant.forget()
        contestant.run(Job.CREATE)
    for turn in range(rounds + 1):
        for contestant in contestants if turn % 2 else contestants[::-1]:
            row.change(contestant.base, turn)
            if row.is_first:
                contestant.forget()
            if row.makes_many_files:
                pause(_AVOIDED_SECS)
            secs = contestant.run(row.job)
            if turn:
                taken[contestant].append(secs)
    return Measured(
        row.id,
        row.what,
        own.name,
        taken[own],
        [Beside(peer.name, taken[own], taken[peer], row.targets.get(peer.name)) for peer in peers],
    )
