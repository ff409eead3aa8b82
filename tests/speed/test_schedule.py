"""Which row has the next turn, and when there are none any more."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pytest_reedbackup.bench.schedule import take_turns


class Clock:
    """Stands still but for turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Row:
    """So many turns of a second, of which each second one is looked at."""

    name: str
    turns: int
    clock: Clock
    log: list[str]
    had: int = field(default=0, init=False)

    @property
    def is_over(self) -> bool:
        return self.had == self.turns

    @property
    def looks_passed(self) -> int:
        return self.had // 2

    def turn(self) -> None:
        self.had += 1
        self.clock.now += 1
        self.log.append(self.name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> list[str]:
    return []


def test_each_row_is_looked_at_once_before_any_has_more(clock: Clock, log: list[str]) -> None:
    rows = [Row("a", 5, clock, log), Row("b", 3, clock, log)]
    take_turns(rows, 100, clock)
    assert "".join(log) == "aabbaaba"


def test_when_the_budget_is_spent_no_turn_begins(clock: Clock, log: list[str]) -> None:
    take_turns([Row("a", 9, clock, log)], 3.5, clock)
    assert log == ["a"] * 4
