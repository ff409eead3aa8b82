"""What fails is one line that says what to do, and a status of its own."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase, TakeSnapshot
from reference.cli.fixture_types import RunCommand

pytestmark = pytest.mark.usefixtures("utc")

FAILURES = [
    (["create", "{missing}"], "IoError", "not a folder", "give the path of a .reed database"),
    (["create", "{empty}"], "NoTablesFound", "{empty} has no tables/ folder", "give the path of a"),
    (["restore", "{base}", "--to", "5"], "BackupNotFound", "up to 1970-01-01T00:00:05", "list"),
    (["restore", "{base}", "--to", "5"], "BackupNotFound", "is of 1970-01-01T00:16:40", "list"),
    (["restore", "{empty}", "--to", "5"], "BackupNotFound", "{empty} has no backups", "create"),
    (["restore", "{missing}", "--to", "5"], "BackupNotFound", "not a folder", "give the path of a"),
    (["restore", "{base}", "--to", "2000"], "BackupCorrupted", "'2000.tar.gz'", "verify {base}"),
    (["restore", "{base}", "--to", "2000", "--dry-run"], "BackupCorrupted", "'2000", "verify"),
    (["verify", "{base}", "77"], "UnknownBackup", "there is no backup 77", "list {base} shows all"),
    (["create", "{odd}"], "BackupUnsafe", "tables/link", "regular files and folders only"),
]


@pytest.mark.parametrize(("arguments", "kind", "words", "advice"), FAILURES)
def test_a_failure_is_a_line_on_what_happened_and_one_on_what_to_do_and_as_json_too(
    base: Path,
    backup_at: BackupAt,
    run: RunCommand,
    make_base: MakeBase,
    tmp_path: Path,
    arguments: list[str],
    kind: str,
    words: str,
    advice: str,
) -> None:
    (tmp_path / "empty").mkdir()
    odd = make_base("t", name="odd")
    (odd / "tables" / "link").symlink_to("t")
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").touch()
    places = {name: tmp_path / name for name in ("missing", "empty", "odd")} | {"base": base}
    arguments = [argument.format(**places) for argument in arguments]

    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    happened, to_do = err.splitlines()
    assert happened.startswith("reedbackup: ")
    assert to_do.startswith("hint: ")
    assert words.format(**places) in happened
    assert advice.format(**places) in to_do

    status, out, again = run(*arguments, "--json")
    assert (status, again) == (1, err)
    error = json.loads(out)["error"]
    assert error.keys() == {"kind", "fields", "message", "advice"}
    assert error["kind"] == kind
    assert f"reedbackup: {error['message']}\nhint: {error['advice']}\n" == err


def test_a_file_that_cannot_be_looked_at_is_the_backups_to_speak_of(
    base: Path, run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: str) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "lstat", closed)
    status, out, err = run("create", base)
    assert (status, out) == (1, "")
    happened, to_do = err.splitlines()
    assert happened.startswith(f"reedbackup: Permission denied: {base}")
    assert to_do == "hint: call it as the database's owner, or as root"


def test_where_an_error_came_up_is_shown_by_debug_alone(run: RunCommand, tmp_path: Path) -> None:
    quiet = run("create", tmp_path / "typo")
    for call in (["--debug", "create"], ["create", "--debug"]):
        status, out, err = run(*call, tmp_path / "typo")
        assert (status, out) == quiet[:2]
        assert err.startswith("Traceback")
        assert err.endswith(quiet[2])


FAULTY = """
import sys
from reedbase_backup import create
from reedbase_backup.cli.commands import main
def faulty(*_, **__): raise ZeroDivisionError("as nobody foresaw")
create.create_backup_at = faulty
sys.exit(main())
"""


def test_what_nobody_foresaw_is_no_traceback_unless_it_is_asked_for(tmp_path: Path) -> None:
    for options, is_shown in (([], False), (["--debug"], True)):
        command = [sys.executable, "-c", FAULTY, "create", str(tmp_path), *options]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ("Traceback" in ended.stderr) is is_shown
        assert "ZeroDivisionError: as nobody foresaw" in ended.stderr
        assert ("--debug" in ended.stderr) is not is_shown


def test_a_slip_in_a_commands_name_is_answered_by_the_likely_one(run: RunCommand) -> None:
    status, out, err = run("rstore", ".reed")
    assert (status, out) == (2, "")
    assert err == "reedbackup: there is no command 'rstore'\nhint: did you mean restore?\n"


def test_without_a_command_the_help_is_shown(run: RunCommand) -> None:
    assert run() == run("--help")
    assert run()[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["create"],
        ["restore", "{base}"],
        ["restore", "{base}", "--to"],
        ["restore", "{base}", "--to", "tomorrow"],
        ["restore", "{base}", "--to", str(2**64)],
        ["list", "{base}", "more"],
        ["create", "{base}", "--nonsense"],
        ["create", ""],
        ["list", ""],
        ["verify", ""],
        ["restore", "", "--to", "5"],
        ["restore", "{base}", "--to", "latest", "--target", ""],
    ],
)
def test_a_wrong_call_is_status_2_and_does_nothing(
    base: Path,
    run: RunCommand,
    snapshot: TakeSnapshot,
    arguments: list[str],
) -> None:
    before = snapshot(base)
    status, out, err = run(*[argument.format(base=base) for argument in arguments])
    assert (status, out) == (2, "")
    assert err.startswith("reedbackup")
    assert err.splitlines()[1].startswith("hint: ")
    assert snapshot(base) == before


@pytest.mark.parametrize("command", ["list", "verify"])
def test_what_is_no_database_is_an_error_and_no_database_without_backups(
    run: RunCommand, tmp_path: Path, command: str
) -> None:
    status, out, err = run(command, tmp_path / "typo")
    assert (status, out) == (1, "")
    assert err.splitlines()[0] == f"reedbackup: {tmp_path}/typo is not a folder"
    (tmp_path / "typo").mkdir()
    status, out, err = run(command, tmp_path / "typo", "--json")
    assert (status, json.loads(out)["error"]["kind"]) == (1, "NoTablesFound")


def test_backups_of_a_database_that_has_lost_its_tables_are_listed(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    (base / "tables").rename(base / "lost")
    assert run("list", base)[0] == 0
