"""A shell completes commands, options and the ids of backups, in the way that it is set up for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand


def completed(line: str, path: Path) -> set[str]:
    """What bash is offered, as argcomplete's own script asks for it."""
    environment = os.environ | {
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(path),
    }
    command = [sys.executable, "-m", "reedbase_backup"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return {word.strip() for word in path.read_text().split("\n")}


@pytest.mark.slow
def test_commands_options_and_ids_are_offered(
    base: Path, backup_at: BackupAt, tmp_path: Path
) -> None:
    backup_at(base, 1000)
    backup_at(base, 2000)
    for typed, offered in (
        ("re", {"restore"}),
        (f"restore {base} --d", {"--debug", "--dry-run"}),
        (f"restore {base} --to ", {"latest", "yesterday", "1000", "2000"}),
        (f"diff {base} 1000 l", {"latest", "live"}),
        (f"show {base} 2", {"2000"}),
        (f"show {base}typo ", {"latest", "yesterday"}),
    ):
        assert completed(f"reedbackup {typed}", tmp_path / "offered") >= offered, typed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_what_it_is_to_read(run: RunCommand, shell: str) -> None:
    status, out, err = run("complete", shell)
    assert (status, err) == (0, "")
    assert "reedbackup" in out
    assert shell == "fish" or "_ARGCOMPLETE" in out
