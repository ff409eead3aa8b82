"""Comparing two implementations' speed on a noisy machine, and knowing when one cannot."""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

RATIO_LIMIT = 1.10
"""Ticket 060-OPS-01, "Regression": performance <= 110 % of the baseline."""

_FIRST_PAIRS = 7
_MOST_PAIRS = 35
_RESAMPLES = 2000
_CONFIDENCE = 0.95

Measure = Callable[[], int]
"""Makes one call and returns the nanoseconds that it took."""


class Decision(StrEnum):
    """What the measurements say of a bound."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Comparison:
    """Interleaved pairs of an implementation and its baseline, in nanoseconds."""

    pairs: Sequence[tuple[int, int]]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios, implementation by baseline."""
        return statistics.median(own / baseline for own, baseline in self.pairs)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % bootstrap interval of `ratio`; the same pairs give the same interval."""
        ratios = [own / baseline for own, baseline in self.pairs]
        draw = random.Random(len(ratios))
        medians = sorted(
            statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES)
        )
        tail = int(_RESAMPLES * (1 - _CONFIDENCE) / 2)
        return medians[tail], medians[-tail - 1]

    @property
    def decision(self) -> Decision:
        """Whether the implementation takes at most RATIO_LIMIT times the baseline's time."""
        lower, upper = self.interval
        if upper <= RATIO_LIMIT:
            return Decision.HOLDS
        return Decision.BROKEN if lower > RATIO_LIMIT else Decision.UNDECIDED

    def __str__(self) -> str:
        own, baseline = (statistics.median(side) / 10**6 for side in zip(*self.pairs, strict=True))
        lower, upper = self.interval
        return (
            f"{own:.1f} ms against the baseline's {baseline:.1f} ms (medians of"
            f" {len(self.pairs)} pairs): {self.ratio:.0%}, between {lower:.0%} and {upper:.0%}"
        )


def compare(own: Measure, baseline: Measure) -> Comparison:
    """Measures both in turn, in alternating order, until the bound is decided, or in vain."""
    pairs: list[tuple[int, int]] = []
    own(), baseline()  # caches are warm for neither or for both
    while True:
        pairs.append((own(), baseline()) if len(pairs) % 2 else _reversed(baseline(), own()))
        if len(pairs) < _FIRST_PAIRS:
            continue
        comparison = Comparison(tuple(pairs))
        if comparison.decision is not Decision.UNDECIDED or len(pairs) >= _MOST_PAIRS:
            return comparison


def _reversed(baseline: int, own: int) -> tuple[int, int]:
    return own, baseline


def calibration(folder: Path) -> str:
    """What this machine takes for a fixed job, to be read beside absolute figures."""
    data = random.Random(0).randbytes(8 << 20)
    started = time.perf_counter()
    hashlib.sha256(data).digest()
    hashed = time.perf_counter()
    path = folder / "calibration"
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    written = time.perf_counter()
    path.unlink()
    return (
        f"this machine hashes 8 MiB in {(hashed - started) * 1000:.1f} ms"
        f" and writes and syncs them in {(written - hashed) * 1000:.1f} ms"
    )
