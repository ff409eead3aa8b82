"""What the benchmark makes of figures: median, interval, and whether a target is reached."""

from __future__ import annotations

import random

import pytest

from pytest_reedbackup.bench.decisions import Standing, at_least, at_most, interval
from pytest_reedbackup.bench.result import Beside, Measured


def test_few_turns_have_an_interval_a_fifth_wider_than_they_are() -> None:
    assert interval([12.0, 6.0, 9.0]) == (5.0, 14.399999999999999)
    assert interval([6.0]) == (5.0, 7.199999999999999)


@pytest.mark.parametrize(("count", "aside"), [(5, 0), (7, 0), (8, 1), (12, 2), (16, 4)])
def test_of_more_turns_the_interval_leaves_out_the_outermost(count: int, aside: int) -> None:
    figures = [float(number) for number in range(count)]
    random.Random(count).shuffle(figures)
    assert interval(figures) == (aside, count - 1 - aside)


def test_the_interval_holds_the_true_median_nine_times_of_ten() -> None:
    draw = random.Random(7)
    for count in (5, 8, 12, 16):
        held = 0
        for _ in range(2_000):
            # Of lognormal figures the median is 1.
            low, high = interval([draw.lognormvariate(0, 1) for _ in range(count)])
            held += low <= 1 <= high
        assert 0.88 < held / 2_000 < 0.97


@pytest.mark.parametrize(
    ("figures", "standing"),
    [
        ([2.5, 2.6, 2.7], Standing.REACHED),
        ([2.3, 2.6, 2.7], Standing.OPEN),  # beyond the target, and not by a fifth
        ([1.5, 1.6, 1.6], Standing.MISSED),
        ([1.5, 1.6, 1.7], Standing.OPEN),
        ([2.0, 2.1, 2.2, 2.3, 2.4], Standing.REACHED),
        ([1.9, 2.1, 2.2, 2.3, 2.4], Standing.OPEN),
        ([1.5, 1.6, 1.7, 1.8, 1.9], Standing.MISSED),
        ([1.9, *[2.1] * 7], Standing.REACHED),  # one of eight may be on the other side
    ],
)
def test_a_target_is_decided_where_the_whole_interval_is_on_one_side(
    figures: list[float], standing: Standing
) -> None:
    assert at_least(figures, 2.0) is standing


@pytest.mark.parametrize(
    ("figures", "standing"),
    [
        ([0.8, 0.8, 0.8], Standing.REACHED),
        ([0.8, 0.8, 0.9], Standing.OPEN),
        ([1.3, 1.3, 1.3], Standing.MISSED),
        ([1.0] * 5, Standing.REACHED),
        ([1.1] * 5, Standing.MISSED),
    ],
)
def test_a_limit_is_kept_where_the_whole_interval_is_within(
    figures: list[float], standing: Standing
) -> None:
    assert at_most(figures, 1.0) is standing


def test_what_counts_beside_a_peer_is_the_median_of_the_rounds_ratios() -> None:
    beside = Beside("tar", [1.0, 2.0, 100.0], [4.0, 4.0, 100.0], target=1.5)
    assert beside.ratios == [4.0, 2.0, 1.0]
    assert beside.times == 2.0
    assert beside.standing is Standing.OPEN


def test_held_against_the_peers_best_turn_its_others_do_not_count() -> None:
    beside = Beside("tar", [1.0, 2.0], [3.0, 9.0], target=1.0, is_by_best=True)
    assert beside.ratios == [3.0, 1.5]
    assert beside.standing is Standing.REACHED


@pytest.mark.parametrize(("floor", "is_forbidden"), [(0.5, False), (0.51, True)])
def test_a_floor_forbids_a_target_that_it_does_not_reach_itself(
    floor: float, is_forbidden: bool
) -> None:
    tar = Beside("tar", [2.0], [1.0], target=2.0)
    row = Measured(
        "id", "what", "python", "s", [2.0], [tar, Beside("floor", [2.0], [floor], is_floor=True)]
    )
    assert row.forbids(tar) is is_forbidden


@pytest.mark.parametrize(("limit", "is_forbidden"), [(0.5, False), (0.49, True), (None, False)])
def test_a_floor_forbids_a_limit_that_it_is_over_itself(
    limit: float | None, is_forbidden: bool
) -> None:
    floor = Beside("lzma", [1.0], [0.5], is_floor=True)
    row = Measured("id", "what", "python-last", "s", [1.0], [floor], limit)
    assert row.is_limit_forbidden is is_forbidden
    assert row.floor == 0.5


def test_without_a_floor_nothing_is_forbidden() -> None:
    tar = Beside("tar", [2.0], [1.0], target=2.0)
    row = Measured("id", "what", "python", "s", [2.0], [tar], limit=1.0)
    assert not row.forbids(tar)
    assert not row.is_limit_forbidden
