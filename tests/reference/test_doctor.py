"""The doctor finds each kind of trouble, none where all is well, and what it says helps."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot

from reedbase_backup import create_backup, restore_point_in_time
from reedbase_backup.doctor.examination import examine
from reedbase_backup.doctor.finding import Finding
from reedbase_backup.sizes import live_bytes

DOCTOR = (sys.executable, "-m", "reedbase_backup", "doctor")


def _append(*parts: str, content: bytes) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        with base.joinpath(*parts).open("ab") as file:
            file.write(content)

    return change


def _users(content: bytes) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        (base / "registry" / "users.dict").write_bytes(content)

    return change


def _leave(name: str, *, folder: bool = False) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        (base / name).mkdir(0o700) if folder else (base / name).touch()

    return change


def _expose(base: Path) -> None:
    (base / "backups").chmod(0o755)
    for archive in (base / "backups").iterdir():
        archive.chmod(0o644)
    (base / "tables" / "text" / "current.csv").chmod(0o600)


def _from_the_future(base: Path) -> None:
    archive = next((base / "backups").iterdir())
    archive.rename(archive.with_name(f"{int(time.time()) + 5000}.tar.gz"))


TEXT = ("tables", "text")
TROUBLES: list[tuple[str, Callable[[Path], None], str]] = [
    ("log-without-end", _append(*TEXT, "version.log", content=b"17|2|1|9"), "tables/text/version"),
    (
        "log-corrupted",
        _append(*TEXT, "version.log", content=b"17|two\n"),
        "tables/text/version.log",
    ),
    ("current-lost", lambda base: (base.joinpath(*TEXT) / "current.csv").unlink(), "tables/text"),
    ("table-leftover", _leave("tables/text/rollback_3.tmp"), "tables/text/rollback_3.tmp"),
    (
        "symlink-in-the-way",
        lambda base: (base.joinpath(*TEXT) / "current.new.tmp").symlink_to("/etc/passwd"),
        "tables/text/current.new.tmp",
    ),
    ("special-file", lambda base: os.mkfifo(base / "indices" / "pipe"), "indices/pipe"),
    ("users-damaged", _users(b"code|username|created_at\n0|system|1"), "registry/users.dict"),
    ("users-damaged", _users(b"code|username|created_at\nzero|system|1\n"), "registry/users.dict"),
    ("users-damaged", _users(b"code|username|created_at\n0|\xff|1\n"), "registry/users.dict"),
    ("no-tables", lambda base: shutil.rmtree(base / "tables"), "tables"),
    ("no-backup", lambda base: shutil.rmtree(base / "backups"), "backups"),
    ("archive-unreadable", _leave("backups/77.tar.gz"), "backups/77.tar.gz"),
    ("archive-exposed", _expose, "backups"),
    ("clock-behind", _from_the_future, "backups/"),
    ("create-leftover", _leave("backups/.reedbackup-partial-0123"), "backups/.reedbackup-partial"),
    ("create-cut-off", _leave(f"backups/.reedbackup-retired-{'0' * 16}-5.tar.gz"), "backups/.reed"),
    ("restore-cut-off", _leave(f".reedbackup-commit-{'0' * 16}", folder=True), ".reedbackup-comm"),
    ("restore-leftover", _leave(f".reedbackup-staging-{'0' * 16}", folder=True), ".reedbackup-st"),
]
MENDED_BY_TYPING = {
    "log-without-end",
    "table-leftover",
    "symlink-in-the-way",
    "special-file",
    "no-tables",
    "no-backup",
    "archive-exposed",
    "create-leftover",
    "restore-leftover",
}


@pytest.fixture
def sound(base: Path) -> Path:
    """A database with a backup, and nothing wrong."""
    create_backup(base)
    assert examine(base) == []
    return base


@pytest.mark.parametrize(("code", "damage", "where"), TROUBLES)
def test_each_trouble_is_found_where_it_is_and_alone(
    sound: Path, snapshot: TakeSnapshot, code: str, damage: Callable[[Path], None], where: str
) -> None:
    damage(sound)
    before = snapshot(sound)
    (finding,) = examine(sound)
    assert finding.code == code
    assert finding.path.startswith(where)
    assert finding.outlook
    assert finding.advice
    assert snapshot(sound) == before


@pytest.mark.parametrize(
    ("code", "damage"), [(code, change) for code, change, _ in TROUBLES if code in MENDED_BY_TYPING]
)
def test_what_it_says_to_type_mends_it(
    sound: Path, tmp_path: Path, code: str, damage: Callable[[Path], None]
) -> None:
    damage(sound)
    (finding,) = examine(sound)
    command = tmp_path / "reedbackup"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reedbase_backup "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", finding.advice], check=True, env=environment)
    assert examine(sound) == []


def test_a_database_that_a_group_or_all_may_read_exposes_nothing(sound: Path) -> None:
    _expose(sound)
    for path in sound.rglob("*"):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    assert examine(sound) == []


def test_locks_are_named_with_who_holds_them_and_are_no_problem(sound: Path) -> None:
    holder = (
        "import fcntl, os, sys, time\n"
        "held = [os.open(path, os.O_RDONLY) for path in sys.argv[1:]]\n"
        "[fcntl.flock(one, fcntl.LOCK_EX) for one in held]\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    paths = [str(sound), str(sound / "tables" / "text" / ".lock")]
    (sound / "backups" / ".reedbackup-partial-0123").touch()
    with subprocess.Popen(
        [sys.executable, "-c", holder, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        # What the one at work has open is no leftover.
        busy, writing = examine(sound)
        child.communicate()
    assert (busy.code, writing.code) == ("base-locked", "table-locked")
    assert not busy.is_problem
    if os.path.exists("/proc/locks"):
        assert f"(process {child.pid})" in busy.what
        assert f"(process {child.pid})" in writing.what


def test_a_disk_with_less_room_than_a_restore_takes_is_found(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = live_bytes(str(sound))
    usage = shutil.disk_usage(sound)
    for free, expected in ((total, []), (total - 1, ["little-room"])):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, f=free: usage._replace(free=f))
        assert [one.code for one in examine(sound)] == expected


def test_the_lock_that_the_doctor_asks_for_is_kept_by_nobody(sound: Path) -> None:
    examine(sound)
    descriptor = os.open(sound, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_what_the_doctor_says_of_a_lost_table_comes_true(sound: Path, backup_at: BackupAt) -> None:
    (sound / "tables" / "text" / "current.csv").unlink()
    (finding,) = examine(sound)
    assert finding == Finding(
        "current-lost",
        True,
        "tables/text",
        "its current.csv is missing (D9)",
        finding.outlook,
        f"reedbackup restore {sound} --to latest --dry-run",
    )
    restore_point_in_time(sound, 2**63)
    assert examine(sound) == []


@pytest.mark.slow
def test_the_command_says_it_in_lines_and_in_json_and_by_its_status(sound: Path) -> None:
    def call(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*DOCTOR, str(sound), *options], capture_output=True, text=True)

    well = call()
    assert (well.returncode, well.stderr) == (0, "")
    assert well.stdout.startswith("Nothing is wrong.")
    (sound / "tables" / "text" / "rollback_3.tmp").touch()
    assert call().returncode == 0
    (sound / "indices" / "link").symlink_to("x")
    ill = call()
    assert ill.returncode == 1
    first, then, do, *_ = ill.stdout.splitlines()
    assert first.startswith("problem: indices/link: ")
    assert then.startswith("  then: ")
    assert do == f"  do:   rm {sound}/indices/link"
    assert ill.stdout.endswith("1 problem, 1 note.\n")
    as_json = call("--json")
    assert as_json.returncode == 1
    assert [one["code"] for one in json.loads(as_json.stdout)] == ["table-leftover", "special-file"]


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run([*DOCTOR, str(tmp_path / "typo")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is not a folder\nhint: give the path of a .reed database" in done.stderr
