"""bounds/ratio: how often a simulated implementation is called what it is not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from math import comb

import pytest

from pytest_reedbackup.checks.timing import (
    LOOKS,
    RATIO_ERROR,
    RATIO_LIMIT,
    compare,
    majorities,
)
from pytest_reedbackup.model.timing import Decision, Pairs

SHAPES = 4
IMPLEMENTATIONS = 2000
# A call of 100 ms.
CALL_NS = 10**8


class Machine:
    """Log-normal noise of 8 %, and on top of it what machines do besides.

    outliers   one call in twenty takes two to six times as long
    bursts     for up to twelve calls everything takes about 1.6 times as long, or much more
    drift      it gets slower and slower: twice the time after 60 calls
    """

    def __init__(self, kind: str, draw: random.Random) -> None:
        self._kind = kind
        self._draw = draw
        self._calls = 0
        self._slow = 0

    def __call__(self, true_ns: float) -> int:
        draw = self._draw
        self._calls += 1
        factor = draw.lognormvariate(0, 0.08)
        if self._kind in ("outliers", "all") and draw.random() < 0.05:
            factor *= draw.uniform(2, 6)
        if self._kind in ("bursts", "all"):
            if self._slow:
                self._slow -= 1
                factor *= draw.lognormvariate(0.5, 0.3)
            elif draw.random() < 0.08:
                self._slow = draw.randint(1, 12)
        if self._kind in ("drift", "all"):
            factor *= 1 + self._calls / 60
        return round(true_ns * factor)


KINDS = ("plain", "outliers", "bursts", "drift", "all")


def one_run(kind: str, ratio: float, draw: random.Random) -> Decision:
    machine = Machine(kind, draw)
    return compare(
        lambda: machine(CALL_NS * ratio), lambda: machine(CALL_NS), error=RATIO_ERROR / SHAPES
    ).decision


def decisions(kind: str, ratio: float, runs: int) -> Counter[Decision]:
    draw = random.Random(f"{kind} {ratio}")
    return Counter(one_run(kind, ratio, draw) for _ in range(runs))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_at_exactly_the_limit_in_all_shapes_one_in_forty_is_called_broken_at_most(
    kind: str,
) -> None:
    draw = random.Random(kind)
    broken = 0
    for _ in range(IMPLEMENTATIONS):
        shapes = [one_run(kind, RATIO_LIMIT, draw) for _ in range(SHAPES)]
        broken += Decision.BROKEN in shapes
    # 2.5 %, and three standard deviations of what 2,000 runs can show of it.
    assert broken / IMPLEMENTATIONS <= 0.025 + 3 * (0.025 * 0.975 / IMPLEMENTATIONS) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "share"),
    {"plain": 0.99, "outliers": 0.99, "drift": 0.99, "bursts": 0.9, "all": 0.8}.items(),
)
def test_130_percent_is_found_broken_and_90_percent_cleared(kind: str, share: float) -> None:
    slow, fast = decisions(kind, 1.3, 500), decisions(kind, 0.9, 500)
    assert slow[Decision.BROKEN] >= share * 500
    assert fast[Decision.HOLDS] >= share * 500
    assert (slow[Decision.HOLDS], fast[Decision.BROKEN]) == (0, 0)


@pytest.mark.parametrize("error", [0.025, 0.025 / SHAPES])
def test_the_majorities_keep_the_error_however_the_looks_fall(error: float) -> None:
    """By the number of paths that lead to a majority, counted another way than they were made."""
    needed = majorities(error)
    assert tuple(needed) == LOOKS
    assert all(look % 2 == 0 for look in LOOKS)
    decided, alive, before = 0.0, {0: 1.0}, 0
    for look, majority in needed.items():
        steps = look - before
        heads = {
            total: sum(
                share * comb(steps, total - sofar) / 2**steps
                for sofar, share in alive.items()
                if 0 <= total - sofar <= steps
            )
            for total in range(look + 1)
        }
        decided += sum(share for total, share in heads.items() if total >= majority)
        alive = {total: share for total, share in heads.items() if total < majority}
        before = look
    assert 0.5 * error < decided <= error


def test_a_clear_difference_is_decided_at_the_first_look() -> None:
    calls = Counter[str]()

    def takes(name: str, nanoseconds: int) -> Callable[[], int]:
        def measure() -> int:
            calls[name] += 1
            return nanoseconds

        return measure

    comparison = compare(takes("own", 300), takes("baseline", 100))
    assert comparison.decision is Decision.BROKEN
    assert calls == {"own": 1 + LOOKS[0], "baseline": 1 + LOOKS[0]}
    assert compare(takes("own", 90), takes("baseline", 100)).decision is Decision.HOLDS


def test_equal_to_the_limit_holds() -> None:
    assert compare(lambda: 110, lambda: 100).decision is Decision.HOLDS


def test_a_comparison_says_what_it_found_and_how_sure_it_is() -> None:
    pairs = tuple((own * 10**6, 100 * 10**6) for own in range(101, 111))
    comparison = Pairs(pairs=pairs, majority=9, limit=RATIO_LIMIT)
    assert comparison.interval == (1.02, 1.09)
    assert str(comparison) == (
        "105.5 ms against the baseline's 100.0 ms (medians of 10 pairs):"
        " 106%, between 102% and 109%"
    )
    assert Pairs(pairs=pairs, majority=11, limit=RATIO_LIMIT).decision is Decision.UNDECIDED


def test_a_baseline_that_took_no_time_that_a_clock_shows_divides_nothing() -> None:
    assert compare(lambda: 5, lambda: 0).decision is Decision.BROKEN
