"""What a run says fits 80 columns, and says each cause once."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from harness.fixture_types import RunPytest, WriteAdapter
from harness.implementations.test_smoke import MISFIT
from harness.sources import MINE

pytestmark = pytest.mark.slow

LISTS = "--reedbackup-case=ticket/list/*"
PRINTING = (
    MINE
    + """

class Printing(Reversed):
    '''Says what it does, and is wrong.'''
    def __init__(self):
        super().__init__()
        listing = self.list_backups
        def list_backups(base_path):
            print("this was printed")
            return listing(base_path)
        self.list_backups = list_backups
"""
)


def lines(run_pytest: RunPytest, folder: Path, *arguments: str, columns: int = 80) -> list[str]:
    ended = run_pytest(folder, *arguments, COLUMNS=str(columns))
    assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_a_conforming_run_fits_and_has_a_line_a_group_of_rules(
    run_pytest: RunPytest, tmp_path: Path, columns: int
) -> None:
    few = [f"--reedbackup-case=ticket/{each}/*" for each in ("surface/functions", "create/archive")]
    shown = lines(run_pytest, tmp_path, "--reedbackup-impl=python", LISTS, *few, columns=columns)
    assert max(map(len, shown)) <= columns
    groups = [line.partition(" .")[0] for line in shown if line.startswith("ticket/")]
    assert groups == ["ticket/surface, create", "ticket/list"]
    assert not any(".py" in line for line in shown)
    assert not any("benchmark" in line.casefold() for line in shown)


def test_a_broken_run_fits_and_has_nothing_twice(run_pytest: RunPytest, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    option = "--reedbackup-impl=mine:Reversed"
    shown = lines(run_pytest, tmp_path, option, "--reedbackup-case=ticket/list/order*")
    assert max(map(len, shown)) <= 80
    assert len(shown) < 100
    broken = [line for line in shown if line.startswith("BROKEN")]
    assert len(broken) == len(set(broken)) > 1
    assert not any("lines above" in line or line.startswith("FAILED") for line in shown)


def test_errors_of_one_cause_are_one_with_their_number_and_one_command(
    run_pytest: RunPytest, tmp_path: Path, adapter: WriteAdapter
) -> None:
    option = f"--reedbackup-impl={shlex.join(adapter(MISFIT))}"
    shown = lines(run_pytest, tmp_path, option, LISTS, "--reedbackup-misfits=run-on")
    text = "\n".join(shown)
    assert re.search(r"^error \d\d cases for one cause; the first is ticket/list/", text, re.M)
    assert text.count("did you mean `id`?") <= 4
    assert text.count("repeat   pytest") <= 4
    assert " more; -v names all" in " ".join(text.split())


def test_where_first_replies_do_not_fit_what_is_said_fits_and_breaks_no_word(
    run_pytest: RunPytest, tmp_path: Path, adapter: WriteAdapter
) -> None:
    option = f"--reedbackup-impl={shlex.join(adapter(MISFIT))}"
    ended = run_pytest(tmp_path, option, LISTS, COLUMNS="80")
    said = ended.stderr.splitlines()
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert 10 < len(said) < 40
    # A path or a line of JSON has no place to break it at.
    assert [line for line in said if len(line) > 80 and len(line.split()) > 1] == []


def test_what_an_implementation_printed_is_shown_with_its_failure(
    run_pytest: RunPytest, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(PRINTING)
    case = "--reedbackup-case=ticket/list/order"
    shown = lines(run_pytest, tmp_path, "--reedbackup-impl=mine:Printing", case)
    assert any("this was printed" in line for line in shown)
