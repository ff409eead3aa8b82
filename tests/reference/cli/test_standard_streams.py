"""The command `reedbackup` where its streams are closed, full, or not in Unicode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt

from reedbase_backup.verify import verify


def _shell(redirections: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the command with some streams closed or elsewhere, as a shell or cron does it."""
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", *map(str, arguments)]
    script: list[str | Path] = ["sh", "-c", f'exec "$@" {redirections}', "sh", *command]
    return subprocess.run(script, capture_output=True, text=True, stdin=subprocess.DEVNULL)


CLOSED = ["<&-", ">&-", "2>&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]


@pytest.mark.slow
@pytest.mark.parametrize("redirections", CLOSED)
def test_what_is_for_a_closed_stream_lands_nowhere_else(
    base: Path, backup_at: BackupAt, redirections: str
) -> None:
    backup_at(base, 1000)
    for arguments, status in (
        (["list", "--json", base], 0),
        (["restore", base, "--to", "5", "--json"], 1),
        (["verify", base, "77"], 1),
        (["create", base], 0),
        (["list"], 2),
    ):
        open_ = _shell("", *arguments)
        done = _shell(redirections, *arguments)
        assert (done.returncode, open_.returncode) == (status, status)
        if arguments[0] != "create":
            assert done.stdout == ("" if " >&-" in f" {redirections}" else open_.stdout)
            assert done.stderr == ("" if "2>&-" in redirections else open_.stderr)
    # No archive was written to by number.
    assert {one.is_sound for one in verify(base)} == {True}


@pytest.mark.parametrize("redirections", CLOSED)
def test_no_stream_that_is_closed_is_taken_for_a_file_that_is_opened(
    base: Path, redirections: str
) -> None:
    """What the system itself prints on number 2 would else go into the archive."""
    code = """
import os, sys
from reedbase_backup import create
from reedbase_backup.cli import commands
make = create._create
def noisy(*given):
    made = make(*given)
    for number in (0, 1, 2):
        os.stat(f"/proc/self/fd/{number}")
    return made
create._create = noisy
sys.exit(commands.main(["create", sys.argv[1]]))
"""
    script: list[str | Path] = [
        "sh",
        "-c",
        f'exec "$@" {redirections}',
        "sh",
        sys.executable,
        "-c",
        code,
        base,
    ]
    assert subprocess.run(script, capture_output=True).returncode == 0
    assert verify(base)[0].is_sound


def _dev_full() -> str:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    return "/dev/full"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["restore", "--help"]])
def test_help_to_a_full_disk_is_one_line_that_says_so(arguments: list[str]) -> None:
    done = _shell(f"> {_dev_full()}", *arguments)
    words = "reedbackup: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


def test_help_that_nobody_reads_to_its_end_is_no_traceback() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "--help"]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("to", ["{full}", "/dev/null"])
def test_an_error_that_cannot_be_printed_is_still_the_status(base: Path, to: str) -> None:
    """And is in the JSON."""
    to = to.format(full=_dev_full())
    done = _shell(f"2> {to}", "restore", base, "--to", "5", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["error"]["kind"] == "BackupNotFound"


def test_an_error_whose_json_cannot_be_written_is_a_line_on_stderr(base: Path) -> None:
    done = _shell(f"> {_dev_full()}", "restore", base, "--to", "5", "--json")
    first, _, third = done.stderr.splitlines()
    assert done.returncode == 1
    assert "has no backups" in first
    assert third == "reedbackup: the output cannot be written: No space left on device"


def test_a_wrong_call_that_cannot_be_reported_is_no_traceback() -> None:
    assert _shell(f"2> {_dev_full()}", "nonsense").returncode in (1, 2)


def test_json_prints_in_an_encoding_that_lacks_its_letters(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    (base / "indices" / "größe").touch()
    for encoding in ("ascii", "latin-1", "utf-8"):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "restore", base]
        options = ["--to", "1000", "--dry-run", "--json"]
        done = subprocess.run([*command, *options], capture_output=True, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout.decode(encoding))["removed"] == ["indices/größe"]
