"""All that came of a run, as --json writes it: every turn's figure, and what follows from them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct

from pytest_reedbackup.bench.decisions import Standing, at_least, at_most, interval


class Beside(Struct, frozen=True):
    """A peer in the same turns: its figures, and the implementation's in just those turns."""

    peer: str
    own: Sequence[float]
    figures: Sequence[float]
    target: float | None = None
    """How many times as fast as the peer the implementation is to be."""
    is_by_best: bool = False
    """Whether the peer's best turn is what it is held against."""
    is_floor: bool = False
    """Whether the peer does less than the job: what nobody who does it can beat."""

    @property
    def median(self) -> float:
        """Return what the peer takes."""
        return statistics.median(self.figures)

    @property
    def ratios(self) -> Sequence[float]:
        """Return by turn how many times as fast it is: what slows the machine meets either."""
        best = min(self.figures)
        return [
            (best if self.is_by_best else figure) / max(own, 1e-9)
            for own, figure in zip(self.own, self.figures, strict=True)
        ]

    @property
    def interval(self) -> tuple[float, float]:
        """Return where the median of the ratios lies, nine times of ten."""
        return interval(self.ratios)

    @property
    def times(self) -> float:
        """Return how many times as fast it is."""
        return statistics.median(self.ratios)

    @property
    def standing(self) -> Standing | None:
        """Return whether the target is reached; None where there is none."""
        return None if self.target is None else at_least(self.ratios, self.target)


class Measured(Struct, frozen=True):
    """What came of a row for one implementation."""

    row: str
    what: str
    implementation: str
    unit: str
    own: Sequence[float]
    """What it took, by turn."""
    beside: Sequence[Beside] = ()
    limit: float | None = None
    steps: Mapping[str, Sequence[float]] = {}
    """Of the floor: what each kind of system call took, by turn."""

    @property
    def median(self) -> float:
        """Return what it takes."""
        return statistics.median(self.own)

    @property
    def interval(self) -> tuple[float, float]:
        """Return where that median lies, nine times of ten."""
        return interval(self.own)

    @property
    def standing(self) -> Standing | None:
        """Return whether it keeps to its limit; None where there is none."""
        return None if self.limit is None else at_most(self.own, self.limit)

    @property
    def floor(self) -> float | None:
        """Return what nobody can beat; None where that was not measured."""
        return next((each.median for each in self.beside if each.is_floor), None)

    @property
    def standings(self) -> Sequence[Standing]:
        """Return what became of each of its targets."""
        all_of_them = (self.standing, *(each.standing for each in self.beside))
        return [standing for standing in all_of_them if standing is not None]

    def forbids(self, beside: Beside) -> bool:
        """Return whether the floor itself is slower than the target beside a peer."""
        if self.floor is None or beside.target is None:
            return False
        peer = min(beside.figures) if beside.is_by_best else beside.median
        return peer / self.floor < beside.target

    @property
    def is_limit_forbidden(self) -> bool:
        """Whether the floor itself is over the limit."""
        return self.floor is not None and self.limit is not None and self.floor > self.limit


class Machine(Struct, frozen=True):
    """What kind of machine it was, and when."""

    cores: int
    file_system: str
    system: str
    python: str
    tools: Mapping[str, str]
    """The version of each peer."""
    month: str


class Result(Struct, frozen=True):
    """A run."""

    machine: Machine
    rows: Sequence[Measured]
    unmeasured: Sequence[str]
    """The rows for which there was no time."""
    secs: float
    """How long it took in all."""

    @property
    def is_reached(self) -> bool:
        """Whether every target is."""
        standings = [standing for row in self.rows for standing in row.standings]
        return not self.unmeasured and all(each is Standing.REACHED for each in standings)
