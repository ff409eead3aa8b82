"""Which row has the next turn, and when there are none any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_reedbackup.bench.disk import Disk
from pytest_reedbackup.bench.schedule import take_turns


class Clock:
    """Stands still but for sleep and turns."""

    now = 0.0

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, secs: float) -> None:
        self.slept.append(secs)
        self.now += secs


@dataclass
class Row:
    """So many turns of a second, of which each second one is looked at."""

    name: str
    turns: int
    clock: Clock
    log: list[str]
    disk: Disk
    makes_many_files: bool = False
    frees: int = 0
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
        self.disk.freed(self.frees)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def disk(clock: Clock, tmp_path: Path) -> Disk:
    return Disk(tmp_path, clock, avoided_secs=10.0)


def test_each_row_is_looked_at_once_before_any_has_more(
    clock: Clock, disk: Disk, log: list[str]
) -> None:
    rows = [Row("a", 5, clock, log, disk), Row("b", 3, clock, log, disk)]
    take_turns(rows, disk, 100, clock, clock.sleep)
    assert "".join(log) == "aabbaaba"
    assert clock.slept == []


def test_while_a_row_waits_for_the_disk_others_have_their_turns(
    clock: Clock, disk: Disk, log: list[str]
) -> None:
    files = Row("f", 3, clock, log, disk, makes_many_files=True, frees=1_000)
    take_turns([files, Row("a", 4, clock, log, disk)], disk, 100, clock, clock.sleep)
    assert "".join(log) == "faaaaff"
    assert clock.slept == [6.0, 10.0]


def test_few_removed_files_make_nobody_wait(clock: Clock, disk: Disk, log: list[str]) -> None:
    files = Row("f", 3, clock, log, disk, makes_many_files=True, frees=999)
    take_turns([files], disk, 100, clock, clock.sleep)
    assert clock.slept == []


def test_when_the_budget_is_spent_no_turn_begins(clock: Clock, disk: Disk, log: list[str]) -> None:
    take_turns([Row("a", 9, clock, log, disk)], disk, 3.5, clock, clock.sleep)
    assert log == ["a"] * 4


def test_nobody_sleeps_longer_than_the_budget(clock: Clock, disk: Disk, log: list[str]) -> None:
    files = Row("f", 3, clock, log, disk, makes_many_files=True, frees=1_000)
    take_turns([files], disk, 5, clock, clock.sleep)
    assert log == ["f"]
    assert clock.slept == [4.0]
