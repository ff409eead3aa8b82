"""How long calls took, one by one, and what they are held to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Decision(StrEnum):
    """What the measurements say of a bound."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNDECIDED = "undecided"


class Rounds(Struct, frozen=True, kw_only=True, tag="rounds"):
    """The same call several times, of which the fastest is judged."""

    taken_ns: Sequence[int]
    limit_ns: int
    """It is to take less than this."""


class Pairs(Struct, frozen=True, kw_only=True, tag="pairs"):
    """Interleaved pairs of an implementation and its baseline."""

    pairs: Sequence[tuple[int, int]]
    """Its time and the baseline's, in nanoseconds."""
    majority: int
    """How many pairs on one side of the limit decide for that side."""
    limit: float
    """The most that the ratio may be."""

    @property
    def ratios(self) -> list[float]:
        """Those of the pairs, implementation by baseline, in the order of the pairs."""
        return [own / max(baseline, 1) for own, baseline in self.pairs]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float]:
        """Between which of the pairs' ratios the true one is; all looks allowed for."""
        ratios = sorted(self.ratios)
        if self.majority > len(ratios):
            return 0.0, float("inf")
        return ratios[-self.majority], ratios[self.majority - 1]

    @property
    def decision(self) -> Decision:
        """Whether the implementation takes at most `limit` times the baseline's time."""
        lower, upper = self.interval
        if upper <= self.limit:
            return Decision.HOLDS
        return Decision.BROKEN if lower > self.limit else Decision.UNDECIDED

    def __str__(self) -> str:
        own, baseline = (statistics.median(side) / 10**6 for side in zip(*self.pairs, strict=True))
        lower, upper = self.interval
        return (
            f"{own:.1f} ms against the baseline's {baseline:.1f} ms (medians of"
            f" {len(self.pairs)} pairs): {self.ratio:.0%}, between {lower:.0%} and {upper:.0%}"
        )
