"""Bounds as plots: every call a dot, the limit a line; places are worked out here, drawn in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.timing import Pairs, Rounds

WIDTH, LEFT, RIGHT = 360, 14, 14
_TOP, _ROW_HEIGHT, _BOTTOM = 26, 5, 24
# Room beside the outermost values, as a share of what lies between them.
_MARGIN = 0.06


@dataclass(frozen=True)
class Dot:
    """One call or one pair."""

    x: float
    y: float
    is_over: bool
    words: str


@dataclass(frozen=True)
class Tick:
    """A place on the axis, with its words."""

    x: float
    words: str


@dataclass(frozen=True)
class Plot:
    """All that is drawn of one case."""

    case: CaseOutcome
    height: float
    dots: Sequence[Dot]
    limit: Tick
    middle: Tick
    """What is judged: the fastest round, or the median of the ratios."""
    interval: tuple[float, float] | None
    """From where to where the true ratio may lie; None where it is no ratio."""
    ticks: Sequence[Tick]
    words: str
    """The same in words."""

    @property
    def floor(self) -> float:
        """Where the axis is."""
        return self.height - _BOTTOM


def plot_of(case: CaseOutcome) -> Plot | None:
    """Return the plot of a case; None where it has timed nothing."""
    match case.timing:
        case Pairs() as pairs if pairs.pairs:
            return _of_pairs(case, pairs)
        case Rounds() as rounds if rounds.taken_ns:
            return _of_rounds(case, rounds)
    return None


def _of_pairs(case: CaseOutcome, pairs: Pairs) -> Plot:
    lower, upper = pairs.interval
    ratios = pairs.ratios
    scale = _Scale([*ratios, pairs.limit, 1.0])
    words = [
        f"pair {number}: {ratio:.0%} ({own / 10**6:.1f} ms, the baseline {other / 10**6:.1f} ms)"
        for number, (ratio, (own, other)) in enumerate(zip(ratios, pairs.pairs, strict=True), 1)
    ]
    return Plot(
        case=case,
        height=_height(len(ratios)),
        dots=_dots(scale, ratios, pairs.limit, words),
        limit=Tick(scale.x(pairs.limit), f"{pairs.limit:.0%} allowed"),
        middle=Tick(scale.x(pairs.ratio), f"{pairs.ratio:.0%}"),
        interval=(scale.x(lower), scale.x(upper)),
        ticks=[Tick(scale.x(value), f"{value:.0%}") for value in (scale.lowest, scale.highest)],
        words=f"{len(ratios)} pairs; median {pairs.ratio:.0%}, between {lower:.0%} and"
        f" {upper:.0%}; {pairs.limit:.0%} allowed",
    )


def _of_rounds(case: CaseOutcome, rounds: Rounds) -> Plot:
    taken = [each / 10**6 for each in rounds.taken_ns]
    limit, fastest = rounds.limit_ns / 10**6, min(taken)
    scale = _Scale([*taken, limit, 0.0])
    words = [f"round {number}: {each:.1f} ms" for number, each in enumerate(taken, 1)]
    return Plot(
        case=case,
        height=_height(len(taken)),
        dots=_dots(scale, taken, limit, words),
        limit=Tick(scale.x(limit), f"{limit:.0f} ms allowed"),
        middle=Tick(scale.x(fastest), f"{fastest:.1f} ms"),
        interval=None,
        ticks=[Tick(scale.x(value), f"{value:.0f} ms") for value in (scale.lowest, scale.highest)],
        words=f"{len(taken)} rounds; the fastest {fastest:.1f} ms; {limit:.0f} ms allowed",
    )


class _Scale:
    """From values to places across the plot."""

    def __init__(self, values: Sequence[float]) -> None:
        finite = [value for value in values if value < float("inf")]
        room = (max(finite) - min(finite)) * _MARGIN or 0.1
        self.lowest, self.highest = max(min(finite) - room, 0.0), max(finite) + room

    def x(self, value: float) -> float:
        """Return the place of a value; of one that is not shown the nearer end."""
        within = min(max(value, self.lowest), self.highest)
        share = (within - self.lowest) / (self.highest - self.lowest)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _height(rows: int) -> float:
    return _TOP + rows * _ROW_HEIGHT + _BOTTOM


def _dots(scale: _Scale, values: Sequence[float], limit: float, words: Sequence[str]) -> list[Dot]:
    return [
        Dot(scale.x(value), _TOP + (place + 0.5) * _ROW_HEIGHT, value > limit, words[place])
        for place, value in enumerate(values)
    ]
