"""The benchmark command: what it runs, what it says and how it ends."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.bench import __main__ as command
from pytest_reedbackup.bench.__main__ import main
from pytest_reedbackup.bench.result import Result
from pytest_reedbackup.bench.rows import Row
from pytest_reedbackup.bench.table import ROWS
from pytest_reedbackup.databases.spec import SMALL

SMALL_ROWS = [
    replace(row, spec=SMALL, peers=dict.fromkeys(row.peers, 1e-6), limit=row.limit and 1e6)
    for row in ROWS
    if not row.is_suite and row.id != "port/newest"
]


def has(rows: Sequence[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ROWS", rows)
    monkeypatch.setattr(command, "POINTS", ())


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Has every row be of a small database, and returns where JSON goes."""
    has(SMALL_ROWS, monkeypatch)
    return tmp_path / "figures.json"


def result_in(figures: Path) -> Result:
    return msgspec.json.decode(figures.read_bytes(), type=Result)


@pytest.mark.slow
def test_every_row_runs_beside_each_of_its_peers_that_is_there(
    figures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["--rounds=1", "--floors", f"--json={figures}"])
    assert status == 0, capsys.readouterr()
    result = result_in(figures)
    assert [row.row for row in result.rows] == [row.id for row in SMALL_ROWS]
    for row, measured in zip(SMALL_ROWS, result.rows, strict=True):
        there = {peer for peer in row.peers if peer == "bare Python" or shutil.which(peer)}
        assert {each.peer for each in measured.beside} - {"floor"} == there
        assert len(measured.own) == 1
        assert measured.own[0] > 0
    shown = capsys.readouterr()
    assert max(map(len, shown.out.splitlines())) <= 90
    assert len(shown.err.splitlines()) == len(SMALL_ROWS)


def test_a_missed_target_is_said_and_ends_with_1(
    figures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    has([replace(row, peers={"tar": 1e6}) for row in SMALL_ROWS], monkeypatch)
    assert main(["--rounds=1", "--row=create/10k/first"]) == 1
    assert "1e+06x missed" in capsys.readouterr().out


def test_a_row_for_which_no_time_is_left_is_named_and_ends_with_1(
    figures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--budget=0", "--row=create/10k/*", f"--json={figures}"]) == 1
    assert result_in(figures).unmeasured == ["create/10k/first", "create/10k/same"]
    assert "create/10k/same: no time was left for it" in capsys.readouterr().out


def test_an_adapter_gets_a_row_of_its_own(
    figures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = f"{sys.executable} -m reedbase_backup serve python"
    options = ["--rounds=1", "--row=create/10k/first", "--impl=python", f"--impl={adapter}"]
    assert main([*options, f"--json={figures}"]) == 0
    assert [row.implementation for row in result_in(figures).rows] == ["python", adapter]
    assert f"create, 10k rows, first, by {adapter}" in capsys.readouterr().out


def test_a_baseline_has_turns_beside_the_others(figures: Path) -> None:
    options = ["--rounds=1", "--row=create/10k/first", "--baseline=python-last"]
    assert main([*options, f"--json={figures}"]) == 0
    (row,) = result_in(figures).rows
    assert [beside.peer for beside in row.beside][-1] == "baseline"


def test_what_was_measured_is_shown_again_from_its_file(
    figures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--rounds=1", "--row=start", f"--json={figures}"]) == 0
    shown = capsys.readouterr().out
    again = tmp_path / "again.json"
    assert main([f"--from={figures}", f"--json={again}", f"--docs={tmp_path / 'docs'}"]) == 0
    assert capsys.readouterr().out == shown
    assert again.read_bytes() == figures.read_bytes()
    assert "`reedbackup list`" in (tmp_path / "docs/performance.md").read_text()


@pytest.mark.slow
def test_a_suite_is_run_with_a_cache_of_its_own(
    figures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suites = [
        replace(row, limit=1e6, peers={})
        for row in ROWS
        if row.id in ("suite/first", "suite/again")
    ]
    has(suites, monkeypatch)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--reedbackup-case=ticket/create/same-second")
    monkeypatch.chdir(tmp_path)
    assert main([f"--json={figures}", f"--folder={tmp_path}"]) == 0
    assert [row.row for row in result_in(figures).rows] == ["suite/first", "suite/again"]
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--row=nothing", "nothing is called nothing; there are create/history/first, "),
        ("--impl=no-such-program", "cannot start 'no-such-program'"),
        ("--from=/no/such/file", "No such file or directory: '/no/such/file'"),
        ("--folder=/no/such/folder", "No such file or directory: '/no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    figures: Path, capsys: pytest.CaptureFixture[str], option: str, words: str
) -> None:
    assert main([option]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert words in said[0]
