"""Comparing two implementations' speed on a noisy machine, and knowing when one cannot."""

from __future__ import annotations

import functools
import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.model.timing import Decision, Pairs, Rounds

RATIO_LIMIT = 1.10
"""Ticket 060-OPS-01, "Regression": performance <= 110 % of the baseline."""

RATIO_ERROR = 0.025
"""How often an implementation at exactly RATIO_LIMIT may be called broken, all in all
(contract `ticket`, "Bounds")."""

LOOKS = (10, 16, 24, 32, 40)
"""After how many pairs the measurements are looked at; even, so that each order is half of them."""


class RecordFigures(Protocol):
    """Records what a case measured, for the report."""

    def __call__(
        self, measured: str, yardstick: str = "", timing: Rounds | Pairs | None = None
    ) -> None:
        """Record figures, what they are to be read beside, and each call that they are of."""


Measure = Callable[[], int]
"""Makes one call and returns the nanoseconds that it took."""


@functools.cache
def majorities(error: float) -> Mapping[int, int]:
    """Return, by look, how many pairs on one side of the limit decide for that side.

    At a true ratio of exactly the limit each pair is above it as often as
    below, whatever the noise is like: outliers, bursts and drift among it, as
    they meet either of a pair. So the number above is that of heads of as many
    coins, and how often it comes to a majority at any of the looks is worked
    out exactly: at most `error`, in shares that grow with the pairs.
    """
    reached = {0: 1.0}  # by heads, how likely, without a majority at an earlier look
    by_look: dict[int, int] = {}
    thrown, spent = 0, 0.0
    for look in LOOKS:
        for _ in range(look - thrown):
            reached = {
                heads: (reached.get(heads, 0.0) + reached.get(heads - 1, 0.0)) / 2
                for heads in range(max(reached) + 2)
            }
        thrown, allowed = look, error * look / LOOKS[-1]
        majority = look + 1  # of no use: more than there are
        while majority > look // 2 + 1 and spent + reached.get(majority - 1, 0.0) <= allowed:
            majority -= 1
            spent += reached.pop(majority, 0.0)
        by_look[look] = majority
    return by_look


def compare(own: Measure, baseline: Measure, *, error: float = RATIO_ERROR) -> Pairs:
    """Measure both in turn, in alternating order, until a look decides the bound, or in vain.

    `error` is how often an implementation at exactly RATIO_LIMIT may be called
    broken, whichever look it comes to.
    """
    pairs: list[tuple[int, int]] = []
    own(), baseline()  # caches are warm for neither or for both
    for look, majority in majorities(error).items():
        while len(pairs) < look:
            pairs.append((own(), baseline()) if len(pairs) % 2 else _reversed(baseline(), own()))
        compared = Pairs(pairs=tuple(pairs), majority=majority, limit=RATIO_LIMIT)
        if compared.decision is not Decision.UNDECIDED:
            break
    return compared


def _reversed(baseline: int, own: int) -> tuple[int, int]:
    return own, baseline


def calibration(folder: Path) -> str:
    """Return what this machine takes for a fixed job, to be read beside absolute figures."""
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
