"""A row's turns: whoever does its job has one a round, in alternating order."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.decisions import Standing, at_most
from pytest_reedbackup.bench.result import Beside, Measured
from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.databases.disk import sync

_ENOUGH = 5
_ENOUGH_OF_SLOW = 3
_SLOW = 10
"""A peer that takes so many times as long has few turns, where nothing is to be decided."""


class Series:
    """The turns of one row for one implementation, as far as they have come.

    The first round is for warm caches, but for suites, which say whether they are first.
    A peer takes part until what is said of it is decided, or it has had `most` turns.
    """

    def __init__(
        self,
        row: Row,
        implementation: str,
        contestants: Sequence[Contestant],
        most: int,
        sync: Callable[[Path], None] = sync,
    ) -> None:
        self.row = row
        self.implementation = implementation
        self._own, *self._peers = contestants
        self._looks = [*(look for look in row.looks if look < most), min(most, row.looks[-1])]
        self._sync = sync
        self._round = 1 if row.is_suite else 0
        self._taken: Mapping[Contestant, list[float]] = {each: [] for each in contestants}
        self._steps: dict[str, list[float]] = {}
        self._to_come = self._order()

    def begin(self) -> None:
        """Have everybody make the backups that are there before the first turn."""
        for contestant in (self._own, *self._peers):
            if self.row.prepare is not None:
                self.row.prepare(contestant.base)
            elif self.row.backups:
                contestant.forget()
                for _ in range(self.row.backups):
                    contestant.run(Job.CREATE)

    @property
    def looks_passed(self) -> int:
        """How many times it was looked at whether the turns have said enough."""
        return sum(len(self._taken[self._own]) >= look for look in self._looks)

    @property
    def is_over(self) -> bool:
        """Whether nobody has a turn any more."""
        return not self._to_come

    @property
    def measured(self) -> Measured | None:
        """What came of it; None before the first whole round."""
        if not all(self._taken.values()):
            return None
        return Measured(
            self.row.id,
            self.row.what,
            self.implementation,
            self.row.unit,
            self._taken[self._own],
            [self._beside(peer) for peer in self._peers],
            self.row.limit,
            self._steps,
        )

    def turn(self) -> None:
        """Have the next one have its turn."""
        contestant = self._to_come[0]
        self.row.change(contestant.base, self._round)
        if self.row.is_first:
            contestant.forget()
        # What others wrote would be written in this one's time, where it syncs.
        self._sync(contestant.base)
        figure = contestant.run(self.row.job)
        del self._to_come[0]
        if self._round:
            self._taken[contestant].append(figure)
            for step, secs in contestant.steps.items():
                self._steps.setdefault(step, []).append(secs)
        if not self._to_come:
            self._round += 1
            self._to_come = self._order()

    def _order(self) -> list[Contestant]:
        """Return who has a turn in the next round; nobody where all is said."""
        taking_part = [peer for peer in self._peers if self._wants_more(peer)]
        if not taking_part and not self._is_own_open():
            return []
        order = [self._own, *taking_part]
        return order if self._round % 2 else order[::-1]

    def _wants_more(self, peer: Contestant) -> bool:
        count = len(self._taken[peer])
        if count < self._looks[0]:
            return True
        if self._target(peer) is None:
            is_slow = self._ratio(peer) >= _SLOW
            return count < min(_ENOUGH_OF_SLOW if is_slow else _ENOUGH, self._looks[-1])
        return self._is_undecided(count, self._beside(peer).standing)

    def _is_own_open(self) -> bool:
        """Return whether the implementation has turns though no peer has."""
        own = self._taken[self._own]
        if len(own) < self._looks[0]:
            return True
        if self.row.limit is None:
            return not self._peers and len(own) < min(_ENOUGH, self._looks[-1])
        return self._is_undecided(len(own), at_most(own, self.row.limit))

    def _is_undecided(self, count: int, standing: Standing | None) -> bool:
        """Return whether so many turns are too few, which is looked at now and then only."""
        return count < self._looks[-1] and (count not in self._looks or standing is Standing.OPEN)

    def _target(self, peer: Contestant) -> float | None:
        return self.row.peers.get(peer.name)

    def _ratio(self, peer: Contestant) -> float:
        return statistics.median(self._taken[peer]) / statistics.median(self._taken[self._own])

    def _beside(self, peer: Contestant) -> Beside:
        figures = self._taken[peer]
        return Beside(
            peer.name,
            # A round that has just begun is none yet.
            self._taken[self._own][: len(figures)],
            figures[: len(self._taken[self._own])],
            self._target(peer),
            self.row.is_by_best,
            peer.is_floor,
        )
