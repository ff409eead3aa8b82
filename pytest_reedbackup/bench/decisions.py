"""What turns say of a target: median, interval, and when they have said enough.

Where the true median lies is told by the turns' own order, whatever their scatter is
like: it is below the lowest of n turns, and above the highest, once in 2^n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

_COVERAGE = 0.9
_FEW = 5
"""From so many turns on their order alone makes an interval of that coverage."""

_MARGIN = 1.2
"""By how much fewer turns must lie beyond a target to decide it."""


class Standing(StrEnum):
    """What became of a target."""

    REACHED = "reached"
    MISSED = "missed"
    OPEN = "open"


def interval(figures: Sequence[float]) -> tuple[float, float]:
    """Return where the median lies nine times of ten, by the figures' order.

    Of fewer than five it is from the lowest to the highest, and a fifth more on each side.
    """
    in_order = sorted(figures)
    if len(in_order) < _FEW:
        return in_order[0] / _MARGIN, in_order[-1] * _MARGIN
    aside = _aside(len(in_order))
    return in_order[aside], in_order[-1 - aside]


def at_least(figures: Sequence[float], target: float) -> Standing:
    """Return what figures say of a target that they are to come up to."""
    low, high = interval(figures)
    if low >= target:
        return Standing.REACHED
    return Standing.MISSED if high < target else Standing.OPEN


def at_most(figures: Sequence[float], limit: float) -> Standing:
    """Return what figures say of a limit that they are not to exceed."""
    low, high = interval(figures)
    if high <= limit:
        return Standing.REACHED
    return Standing.MISSED if low > limit else Standing.OPEN


def _aside(count: int) -> int:
    """Return how many figures on each side an interval of the coverage can do without."""
    aside, outside = -1, 0.0
    while True:
        outside += 2 * math.comb(count, aside + 1) / 2**count
        if outside > 1 - _COVERAGE:
            return aside
        aside += 1
