"""Every command in the documents is one that its program takes; those of the guide are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reedbase_backup.cli.arguments import make_parser

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "docs/porting.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}


def commands(document: str) -> list[str]:
    text = (PROJECT / document).read_text()
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if line]


def of_program(program: str) -> list[list[str]]:
    """The arguments that a program is given in any document; `…` stands for others."""
    lines = [line for name in DOCUMENTS for line in commands(name) if line.startswith(program)]
    words = [shlex.split(line.removesuffix("\\"), comments=True) for line in lines]
    return [line[1:] for line in words if line[0] == program and "…" not in line]


@pytest.mark.parametrize("arguments", of_program("reedbackup"), ids=" ".join)
def test_a_command_of_reedbackup_is_one_that_it_takes(arguments: list[str]) -> None:
    assert callable(make_parser(arguments).parse_args(arguments).run)


@pytest.mark.parametrize("arguments", of_program("pytest"), ids=" ".join)
def test_a_command_of_pytest_has_options_that_there_are(arguments: list[str]) -> None:
    given = [argument for argument in arguments if argument.startswith("--reedbackup")]
    help_text = subprocess.run(
        [sys.executable, "-m", "pytest", "--help"], capture_output=True, text=True
    ).stdout
    assert all(argument.partition("=")[0] in help_text for argument in given)


@pytest.mark.slow
def test_the_commands_of_the_guide_run_one_after_the_other(tmp_path: Path) -> None:
    """The suite is red for what is to be written, and for nothing else."""
    for command in commands("docs/porting.md"):
        ended = subprocess.run(
            shlex.split(command), cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
        )
        is_suite = command.startswith("pytest")
        assert ended.returncode == (1 if is_suite else 0), ended.stdout + ended.stderr
        assert not is_suite or "error ToBeWritten: " in ended.stdout
