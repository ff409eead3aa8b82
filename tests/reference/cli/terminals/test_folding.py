"""What is to be read is broken between words; what may be copied never is, nor what a pipe gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.cli.terminals.terminal import at_terminal

COMMAND = "  do:   reedbackup restore"


def words_of(text: str) -> list[str]:
    return text.split()


@pytest.fixture
def troubled(base: Path, backup_at: BackupAt) -> Path:
    """A database of which the doctor has much to say."""
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").unlink()
    return base


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_sentence_is_broken_between_words_and_goes_on_indented(
    troubled: Path, run: RunCommand, columns: int
) -> None:
    whole = run("doctor", troubled)[1]
    assert any(len(line) > columns for line in whole.splitlines())
    shown = at_terminal("doctor", troubled, columns=columns).text
    assert words_of(shown) == words_of(whole)
    begun = ("problem: ", "note: ", "  ")
    for line in shown.splitlines()[:-1]:
        assert line.startswith(begun), line
        assert len(line) <= columns or line.startswith(COMMAND)


def test_a_command_to_copy_stays_in_one_line_at_any_width(troubled: Path, run: RunCommand) -> None:
    def commands(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith(COMMAND)]

    shown = at_terminal("doctor", troubled, columns=20).text
    assert commands(shown) == commands(run("doctor", troubled)[1]) != []


@pytest.mark.parametrize("columns", [60, 30])
def test_an_error_and_its_hint_are_broken_between_words(
    tmp_path: Path, run: RunCommand, columns: int
) -> None:
    _, _, whole = run("list", tmp_path)
    shown = at_terminal("list", tmp_path, columns=columns).text
    assert words_of(shown) == words_of(whole)
    assert all(
        len(line) <= columns or " " not in line.strip() or str(tmp_path) in line
        for line in shown.splitlines()
    )


def test_a_pipe_gets_each_sentence_in_one_line(troubled: Path, run: RunCommand) -> None:
    lines = run("doctor", troubled)[1].splitlines()
    assert all(
        line.startswith(("problem: ", "note: ", "  then: ", "  do: ")) for line in lines[:-1]
    )
