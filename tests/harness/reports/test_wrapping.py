"""What is printed fits the terminal, and a command that is broken into lines is still one."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reedbackup.reports.terminal.wrapping import command_lines, labelled

COMMAND = shlex.join(
    [
        "pytest",
        "--reedbackup-impl=./my adapter --fast",
        "--reedbackup-case=ticket/restore/placement/mounted/tables-on-another-file-system",
        "--reedbackup-timeout=50",
    ]
)


@pytest.mark.parametrize("width", [80, 120])
def test_a_commands_lines_fit_and_are_one_command_to_a_shell(width: int) -> None:
    lines = list(command_lines("  repeat   ", COMMAND, width))
    assert all(len(line) <= max(width, 100) for line in lines)
    assert len(lines) > 1
    pasted = "\n".join(lines).removeprefix("  repeat   ").replace("\\\n", "")
    assert shlex.split(pasted) == shlex.split(COMMAND)


@given(
    words=st.lists(st.text("abcdef-,", min_size=1, max_size=12), min_size=1, max_size=60),
    width=st.sampled_from([80, 120]),
)
def test_text_fits_under_its_label_and_loses_no_word(words: list[str], width: int) -> None:
    lines = list(labelled("  found    ", " ".join(words), width))
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split() == ["found", *words]


def test_of_many_lines_the_rest_is_counted_and_one_more_is_shown() -> None:
    text = "\n".join(map(str, range(30)))
    assert list(labelled("at ", text, 80, most=8))[-1] == "   … 22 more lines; -v shows all"
    assert len(list(labelled("at ", "\n".join(map(str, range(9))), 80, most=8))) == 9
    *_, counted, end = labelled("at ", text, 80, most=8, last=1)
    assert counted == "   … 21 more lines; -v shows all"
    assert end.strip() == text.splitlines()[-1].strip()


def test_an_entry_of_a_difference_hangs_under_its_sign() -> None:
    first, second = labelled("  ", f"+ {'x' * 30} {'y' * 60}", 80)
    assert first == f"  + {'x' * 30}"
    assert second == f"    {'y' * 60}"
