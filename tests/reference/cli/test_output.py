"""What is printed suits whoever reads it: a terminal, a pipe, a full disk, nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.cli.terminals.terminal import at_terminal

from reedbase_backup import create_backup, list_backups

pytestmark = pytest.mark.usefixtures("utc")


def test_names_that_would_write_to_the_terminal_are_shown_with_escapes(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    (base / "indices" / "a\x1b[31m\nb").touch()
    Path(os.fsdecode(os.fsencode(base / "indices") + b"/\xff")).touch()
    out = run("restore", base, "--to", "1000", "--dry-run")[1]
    assert "  indices/a\\x1b[31m\\nb\n" in out
    assert "  indices/\\udcff\n" in out
    removed = json.loads(run("restore", base, "--to", "1000", "--dry-run", "--json")[1])["removed"]
    assert removed == ["indices/a\x1b[31m\nb", "indices/\\udcff"]


def _child(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd)


def test_names_print_in_an_encoding_that_lacks_their_letters(
    base: Path, backup_at: BackupAt
) -> None:
    backup_at(base, 1000)
    (base / "indices" / "größe").touch()
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = _child("restore", base, "--to", "1000", "--dry-run", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xf6\\xdfe" in done.stdout


def test_output_that_nobody_reads_to_its_end_is_no_traceback(
    base: Path, backup_at: BackupAt
) -> None:
    for second in range(30):
        backup_at(base, second)
    read_end, write_end = os.pipe()
    os.close(read_end)
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_output_is_not_left_to_the_end_where_its_failing_would_be_noise(
    base: Path, backup_at: BackupAt
) -> None:
    """Little output stays in Python's buffer until something flushes it."""
    backup_at(base, 1000)
    read_end, write_end = os.pipe()
    os.close(read_end)
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, text=True, env=buffered
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_output_to_a_full_disk_is_one_line_that_says_so(
    base: Path, backup_at: BackupAt, unbuffered: str, options: list[str]
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    backup_at(base, 1000)
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base, *options]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment
        )
    words = "reedbackup: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_backup_is_made_where_stdout_is_closed(base: Path, options: list[str]) -> None:
    """As cron may start it, with stdout closed."""
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "create", base, *options]
    script: list[str | Path] = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    done = subprocess.run(script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list_backups(base)) == 1


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_an_aligned_table_in_colour_unless_it_asks_for_none(
    base: Path, no_color: bool
) -> None:
    create_backup(base)
    environment = {"NO_COLOR": "1", "TERM": "dumb"} if no_color else {}
    status, shown = at_terminal("list", base, columns=120, env=environment)
    assert status == 0
    assert "\t" not in shown
    assert list_backups(base)[0].id in shown
    assert ("\x1b[" in shown) is not no_color
