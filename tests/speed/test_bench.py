"""The benchmark command: what it times, in which order, what it says and how it ends."""

from __future__ import annotations

import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.bench import __main__ as command
from pytest_reedbackup.bench import curves
from pytest_reedbackup.bench.__main__ import Result, main
from pytest_reedbackup.bench.contestants import TOOLS, Contestant
from pytest_reedbackup.bench.figures import GAUGES
from pytest_reedbackup.bench.rows import ROWS, Job, Row
from pytest_reedbackup.bench.turns import Beside, measure
from pytest_reedbackup.databases.spec import HISTORY_10K, SMALL, DatabaseSpec

SMALL_ROWS = [replace(row, spec=SMALL, targets={"tar": 1e-6}) for row in ROWS]


class Sleepless(Contestant):
    """Does nothing, in as many seconds as it is told to take."""

    def __init__(self, name: str, base: Path, secs: Sequence[float], log: list[str]) -> None:
        super().__init__(base)
        self.name = name
        self._secs = iter(secs)
        self._log = log

    def forget(self) -> None:
        self._log.append(f"{self.name} forgets")

    def run(self, job: Job) -> float:
        self._log.append(f"{self.name} {job}")
        return next(self._secs)

    def close(self) -> None:
        raise AssertionError("whoever made it closes it")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Has every row be of a small database, and returns where JSON goes."""
    monkeypatch.setattr(command, "ROWS", SMALL_ROWS)
    monkeypatch.setattr(command, "TOOLS", [tool for tool in TOOLS if tool.name in ("tar", "gzip")])
    return tmp_path / "figures.json"


def measured(row: Row, rounds: int, log: list[str], tmp_path: Path) -> list[float]:
    own = Sleepless("own", tmp_path, [9.0, 9.0, 1.0, 2.0, 3.0], log)
    peer = Sleepless("peer", tmp_path, [9.0, 9.0, 4.0, 4.0, 3.0], log)
    paused: list[float] = []
    found = measure(row, [own, peer], rounds, lambda secs: paused.append(secs))
    assert found.own_secs == [1.0, 2.0, 3.0]
    assert found.beside[0].peer_secs == [4.0, 4.0, 3.0]
    assert found.beside[0].times == 2.0
    return paused


def test_turns_alternate_and_the_first_is_for_warm_caches(tmp_path: Path) -> None:
    log: list[str] = []
    row = Row("id", "what", Job.CREATE, SMALL, {"peer": 2.5})
    assert measured(row, 3, log, tmp_path) == []
    assert log[:4] == ["own forgets", "own create", "peer forgets", "peer create"]
    assert log[4:] == [
        *("peer create", "own create", "own create", "peer create"),
        *("peer create", "own create", "own create", "peer create"),
    ]


def test_a_first_create_has_no_backup_before_it(tmp_path: Path) -> None:
    log: list[str] = []
    measured(Row("id", "what", Job.CREATE, SMALL, {}, is_first=True), 3, log, tmp_path)
    assert log[4:8] == ["peer forgets", "peer create", "own forgets", "own create"]


def test_before_many_files_are_made_anew_the_disk_gets_a_pause(tmp_path: Path) -> None:
    row = Row("id", "what", Job.RESTORE, HISTORY_10K, {})
    assert measured(row, 3, [], tmp_path) == [36.0] * 8


@pytest.mark.parametrize(("target", "is_reached"), [(None, True), (2.0, True), (2.1, False)])
def test_a_target_is_held_against_the_median_of_the_turns(
    target: float | None, is_reached: bool
) -> None:
    pair = Beside("tar", [1.0, 1.0, 1.0], [0.5, 2.0, 9.0], target)
    assert pair.times == 2.0
    assert pair.is_reached is is_reached


@pytest.mark.slow
def test_each_tool_that_is_there_backs_up(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TOOLS", TOOLS)
    assert main(["--rounds=1", "--row=create/1m/same", f"--json={small}"]) == 0
    (row,) = msgspec.json.decode(small.read_bytes(), type=Result).rows
    there = {tool.name for tool in TOOLS if tool.name != "gzip" and shutil.which(tool.program)}
    assert {pair.peer for pair in row.beside} == there


@pytest.mark.slow
def test_every_row_runs_against_the_tools_that_are_there(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*("--rounds=2", "--no-pause", f"--json={small}"), *("--row=*/*",)]
    status = main([*options, "--row=create/*"])
    assert status == 0, capsys.readouterr()
    result = msgspec.json.decode(small.read_bytes(), type=Result)
    assert [row.row for row in result.rows] == [row.id for row in ROWS]
    assert all(len(row.own_secs) == 2 and min(row.own_secs) > 0 for row in result.rows)
    tools = {row.row: {pair.peer for pair in row.beside} for row in result.rows}
    assert all("tar" in peers for row, peers in tools.items() if not row.startswith("verify"))
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80


def test_a_missed_target_is_said_and_ends_with_1(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hopeless = [replace(row, targets={"tar": 1e6}) for row in SMALL_ROWS]
    monkeypatch.setattr(command, "ROWS", hopeless)
    assert main(["--rounds=1", "--row=create/10k/first"]) == 1
    assert "1e+06 missed" in capsys.readouterr().out


def test_an_adapter_gets_a_row_of_its_own(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adapter = f"{sys.executable} -m reedbase_backup serve python"
    options = ["--rounds=1", "--row=create/10k/first", "--impl=python", f"--impl={adapter}"]
    assert main([*options, f"--json={small}"]) == 0
    result = msgspec.json.decode(small.read_bytes(), type=Result)
    assert [row.implementation for row in result.rows] == ["python", adapter]
    assert f"by {adapter}:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--row=nothing", "nothing is called nothing; there are create/history/first, "),
        ("--impl=no-such-program", "cannot start 'no-such-program'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    small: Path, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    assert main([option]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert words in said[0]


def test_the_reference_keeps_to_its_limit_of_memory(tmp_path: Path) -> None:
    """The gauge sees the process itself: this one has more than the limit."""
    from pytest_reedbackup.databases.templates import Templates

    gauge = next(gauge for gauge in GAUGES if gauge.id == "memory/create")
    base = Templates(tmp_path / "templates").clone(SMALL, tmp_path / ".reed")
    figure = gauge.figure(base)
    assert 5 < figure.measured < gauge.limit


def test_curves_are_a_drawing_with_a_line_for_each_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few = {"rows": {size: DatabaseSpec(tables=2, rows=size) for size in (10, 20)}}
    monkeypatch.setattr(command, "PANELS", few)
    assert main(["--rounds=1", f"--curves={tmp_path / 'curves.svg'}"]) == 0
    root = ElementTree.parse(tmp_path / "curves.svg").getroot()
    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(curves.CURVES)
    assert all(len(line.attrib["points"].split()) == 2 for line in lines)
