"""Sweeps as strips of points, and what is known of each point, packed: there may be thousands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep
from pytest_reedbackup.reports.html.differences import Piece, Row, side_by_side
from pytest_reedbackup.reports.strip import (
    SIGNS,
    count_of,
    headline,
    points_of,
    signs_of,
    unvisited,
)
from pytest_reedbackup.reports.words.visible import shortened

_POINT = "--reedbackup-point="

Packed = list[object]


@dataclass(frozen=True)
class Strip:
    """The points of one kind."""

    row: str
    count: str
    """How many of them were visited, and of how many where that is not all."""
    signs: str
    """One a point that was visited, each the worst of its moments."""
    number: int
    """Where what is known of its points is found: `Points.strips`."""


@dataclass(frozen=True)
class Shown:
    """One sweep."""

    case: CaseOutcome
    headline: str
    strips: Sequence[Strip]
    unvisited: str
    """The kinds of which no point was visited; empty where there are none."""
    is_broken: bool


@dataclass
class Points:
    """What the page knows of all points, for its script: texts once, points as numbers of them."""

    texts: list[str] = field(default_factory=list)
    strips: list[list[Packed]] = field(default_factory=list)
    """By strip, by point: its id, then of each of its moments what is known."""
    differences: list[list[Packed]] = field(default_factory=list)
    """Rows of what was expected beside what was found: of each side its pieces, or a number."""
    repeats: list[int] = field(default_factory=list)
    """By strip, the command that repeats its case, to which the point is to be added."""
    _numbers: dict[str, int] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, case: CaseOutcome, sweep: Sweep) -> Shown:
        """Take up the points of a case; return what is drawn of them."""
        visited = {result.row for result in sweep.results}
        strips = [self._strip(case, sweep, row) for row in sweep.rows if row in visited]
        is_broken = sweep.first_broken is not None
        return Shown(case, headline(sweep), strips, unvisited(sweep), is_broken)

    def packed(self) -> dict[str, object]:
        """Return everything, as JSON can hold it."""
        return {
            "texts": [shortened(text) for text in self.texts],
            "strips": self.strips,
            "differences": self.differences,
            "repeats": self.repeats,
            "signs": dict(SIGNS.values()),
        }

    def _strip(self, case: CaseOutcome, sweep: Sweep, row: str) -> Strip:
        points = points_of(sweep, row)
        self.strips.append(
            [[self._number(results[0].point), *map(self._result, results)] for results in points]
        )
        self.repeats.append(self._number(_without_points(case.repeat)))
        count = count_of(len(points), sweep.rows[row])
        return Strip(row, count, signs_of(points), len(self.strips) - 1)

    def _result(self, result: PointResult) -> Packed:
        known: Packed = [self._number(SIGNS[result.outcome][1]), self._number(result.path)]
        if result.moment or result.outcome is PointOutcome.BROKEN:
            known.append(self._number(result.moment))
        if result.outcome is PointOutcome.BROKEN:
            known.append(self._number(result.detail))
            known.append(self._difference(result.expected, result.found))
            known.append([self._number(line) for line in result.trace])
            known.append(self._number(result.kept))
            if result.folder is not None:
                lines = [self._number(line) for line in result.folder.lines]
                known.append([self._number(result.folder.against), lines])
        return known

    def _difference(self, expected: str, found: str) -> int:
        """Take up what was expected and found side by side; many points have the same."""
        if (expected, found) not in self._pairs:
            self._pairs[expected, found] = len(self.differences)
            rows = side_by_side(expected, found)
            self.differences.append([self._row(row) for row in rows])
        return self._pairs[expected, found]

    def _row(self, row: Row) -> Packed:
        if row.skipped:
            return [row.skipped]
        return [self._pieces(row.expected), self._pieces(row.found)]

    def _pieces(self, line: Sequence[Piece] | None) -> Packed | None:
        """Return the texts of a line by turns, those that are as they should be first."""
        if line is None:
            return None
        packed: Packed = []
        for piece in line:
            if piece.is_marked != len(packed) % 2:
                packed.append(self._number(""))
            packed.append(self._number(piece.text))
        return packed

    def _number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]


def _without_points(command: str) -> str:
    """Return a case's command without the point that it repeats."""
    try:
        words = shlex.split(command)
    except ValueError:  # a report of another kit
        return command
    return shlex.join(word for word in words if not word.startswith(_POINT))
