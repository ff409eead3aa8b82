"""A row's turns: their order, what comes before each, and how many there are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.decisions import Standing
from pytest_reedbackup.bench.result import Measured
from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.bench.series import Series
from pytest_reedbackup.databases.spec import SMALL

WARM_UP = 99.0


class Player(Contestant):
    """Does nothing, in as many seconds as it is told to take, over and over."""

    def __init__(self, name: str, base: Path, log: list[str], *secs: float) -> None:
        super().__init__(base)
        self.name = name
        self._secs = itertools.chain([WARM_UP], itertools.cycle(secs or [1.0]))
        self._log = log

    def forget(self) -> None:
        self._log.append(f"{self.name} forgets")

    def run(self, job: Job) -> float:
        self._log.append(f"{self.name} {job}")
        return next(self._secs)


@pytest.fixture
def log() -> list[str]:
    return []


def played(row: Row, *players: Player, most: int = 16) -> Measured:
    series = Series(row, "python", players, most, sync=lambda base: None)
    while not series.is_over:
        series.turn()
    assert series.measured is not None
    return series.measured


def row(peers: Mapping[str, float | None], limit: float | None = None, **more: object) -> Row:
    return Row("id", "what", Job.RESTORE, SMALL, peers, limit, **more)  # type: ignore[arg-type]


def test_turns_alternate_and_the_first_round_is_for_warm_caches(
    tmp_path: Path, log: list[str]
) -> None:
    own, peer = Player("own", tmp_path, log, 1.0, 2.0), Player("peer", tmp_path, log, 3.0)
    measured = played(row({"peer": None}), own, peer, most=3)
    a, b = "own restore", "peer restore"
    assert log == [b, a, a, b, b, a, a, b]
    assert measured.own == [1.0, 2.0, 1.0]
    assert measured.beside[0].figures == [3.0, 3.0, 3.0]


def test_all_begin_with_as_many_backups_as_the_row_has(tmp_path: Path, log: list[str]) -> None:
    players = Player("own", tmp_path, log), Player("peer", tmp_path, log)
    Series(row({}, backups=2), "python", players, 16).begin()
    assert log == [
        *("own forgets", "own create", "own create"),
        *("peer forgets", "peer create", "peer create"),
    ]


def test_what_a_row_prepares_itself_nobody_makes(tmp_path: Path, log: list[str]) -> None:
    prepared = row({}, prepare=lambda base: log.append(f"prepared {base.name}"))
    Series(prepared, "python", [Player("own", tmp_path, log)], 16).begin()
    assert log == [f"prepared {tmp_path.name}"]


def test_a_first_create_has_no_backup_before_it(tmp_path: Path, log: list[str]) -> None:
    first = Row("id", "what", Job.CREATE, SMALL, is_first=True)
    played(first, Player("own", tmp_path, log), most=1)
    assert log == ["own forgets", "own create"] * 2


def test_before_each_turn_the_database_is_changed_and_then_all_is_synced(
    tmp_path: Path, log: list[str]
) -> None:
    changing = row({"peer": None}, change=lambda base, turn: log.append(f"change {turn}"))
    players = Player("own", tmp_path, log), Player("peer", tmp_path, log)
    series = Series(changing, "python", players, 1, sync=lambda base: log.append("sync"))
    while not series.is_over:
        series.turn()
    assert log == [
        *("change 0", "sync", "peer restore", "change 0", "sync", "own restore"),
        *("change 1", "sync", "own restore", "change 1", "sync", "peer restore"),
    ]


@pytest.mark.parametrize(
    ("target", "peer_secs", "rounds"),
    [
        (2.0, (9.0,), 3),  # far beyond
        (2.0, (1.0,), 3),  # far below
        (2.0, (2.1,), 5),  # beyond, by less than a fifth
        (2.0, (2.1, 1.9), 16),  # neither
        (None, (9.0,), 5),
        (None, (10.0,), 3),  # a slow one
    ],
)
def test_turns_go_on_until_they_decide_the_target(
    tmp_path: Path,
    log: list[str],
    target: float | None,
    peer_secs: tuple[float, ...],
    rounds: int,
) -> None:
    players = Player("own", tmp_path, log), Player("peer", tmp_path, log, *peer_secs)
    assert len(played(row({"peer": target}), *players).own) == rounds


def test_who_is_decided_has_no_turn_while_others_go_on(tmp_path: Path, log: list[str]) -> None:
    slow, near = Player("slow", tmp_path, log, 50.0), Player("near", tmp_path, log, 2.1, 1.9)
    players = Player("own", tmp_path, log), slow, near
    measured = played(row({"slow": None, "near": 2.0}), *players)
    assert [len(beside.figures) for beside in measured.beside] == [3, 16]
    assert [len(beside.own) for beside in measured.beside] == [3, 16]
    assert log.count("slow restore") == 4


def test_a_limit_of_its_own_is_decided_alone(tmp_path: Path, log: list[str]) -> None:
    players = Player("own", tmp_path, log, 1.0, 1.1), Player("peer", tmp_path, log, 50.0)
    measured = played(row({"peer": None}, limit=1.05), *players)
    assert (len(measured.own), measured.standing) == (16, Standing.OPEN)
    assert len(measured.beside[0].figures) == 3


def test_a_row_without_peer_and_limit_has_five_turns(tmp_path: Path, log: list[str]) -> None:
    assert len(played(row({}), Player("own", tmp_path, log)).own) == 5


def test_a_suite_is_not_run_to_be_warm_and_once_where_that_says_enough(
    tmp_path: Path, log: list[str]
) -> None:
    suite = Row("id", "what", Job.SUITE, SMALL, limit=2 * WARM_UP)
    assert played(suite, Player("own", tmp_path, log)).own == [WARM_UP]
    assert log == ["own suite"]


def test_a_round_that_was_begun_is_left_out_of_the_ratios(tmp_path: Path, log: list[str]) -> None:
    players = Player("own", tmp_path, log, 1.0, 2.0), Player("peer", tmp_path, log, 3.0)
    series = Series(row({"peer": None}), "python", players, 16, sync=lambda base: None)
    for _ in range(3):
        series.turn()
    assert series.measured is None
    for _ in range(2):
        series.turn()
    assert series.measured is not None
    assert series.measured.own == [1.0]
    assert series.measured.beside[0].figures == [3.0]
    assert series.measured.beside[0].own == [1.0]
