"""A restore into a folder of its own: whole or not at all, over nothing, and the database stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixture_types import BackupAt, ReadDatabase, TakeSnapshot

from reedbase_backup import BackupCorrupted, IoError
from reedbase_backup.elsewhere import restore_elsewhere
from reedbase_backup.picks import at_or_before, by_id
from reedbase_backup.types import U64_MAX

LATEST = at_or_before(U64_MAX)


@pytest.mark.parametrize("is_there", [False, True])
def test_the_tree_of_the_backup_is_there_and_the_database_stays(
    base: Path,
    tmp_path: Path,
    backup_at: BackupAt,
    database: ReadDatabase,
    snapshot: TakeSnapshot,
    is_there: bool,
) -> None:
    old = database(base)
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("new")
    before, target = snapshot(base), tmp_path / "elsewhere"
    if is_there:
        target.mkdir()
    name, report = restore_elsewhere(base, LATEST, target)
    assert (name.id, report.tables_restored) == ("1000", 2)
    assert database(target) == old
    assert sorted(os.listdir(target)) == ["indices", "tables"]
    assert snapshot(base) == before
    # To write to one is not to write to the other.
    (target / "tables" / "routes" / "current.csv").write_text("elsewhere")
    assert snapshot(base) == before


@pytest.mark.parametrize("kind", ["file", "folder", "symlink", "dangling", "itself"])
def test_nothing_that_is_there_is_replaced(
    base: Path, tmp_path: Path, backup_at: BackupAt, snapshot: TakeSnapshot, kind: str
) -> None:
    backup_at(base, 1000)
    target = tmp_path / "elsewhere"
    (tmp_path / "empty").mkdir()
    match kind:
        case "file":
            target.touch()
        case "folder":
            (target / "inner").mkdir(parents=True)
        case "symlink":
            target.symlink_to("empty")
        case "dangling":
            target.symlink_to("nowhere")
        case _:
            target = base
    before = snapshot(tmp_path)
    with pytest.raises(IoError, match="is there already"):
        restore_elsewhere(base, LATEST, target)
    assert snapshot(tmp_path) == before


def test_a_damaged_backup_leaves_nothing(
    base: Path, tmp_path: Path, backup_at: BackupAt, snapshot: TakeSnapshot
) -> None:
    backup_at(base, 1000)
    archive = base / "backups" / "1000.tar.gz"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    before = snapshot(tmp_path)
    with pytest.raises(BackupCorrupted):
        restore_elsewhere(base, by_id("1000"), tmp_path / "elsewhere")
    assert snapshot(tmp_path) == before


def test_what_comes_there_meanwhile_is_kept(
    base: Path, tmp_path: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    target, rename = tmp_path / "elsewhere", os.rename

    def planting(*given: Any, **named: Any) -> None:
        (target / "inner").mkdir(parents=True, exist_ok=True)
        rename(*given, **named)

    monkeypatch.setattr(os, "rename", planting)
    with pytest.raises(IoError):
        restore_elsewhere(base, LATEST, target)
    assert os.listdir(target) == ["inner"]
    assert sorted(os.listdir(tmp_path)) == [".reed", "elsewhere"]


def test_the_command_takes_a_target(base: Path, tmp_path: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    command = [sys.executable, "-m", "reedbase_backup", "restore", str(base), "--to", "latest"]
    options = ["--target", str(tmp_path / "elsewhere")]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f" into {tmp_path}/elsewhere: 2 tables, " in done.stdout
    again = subprocess.run([*command, *options], capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (1, "")
    assert "is there already" in again.stderr
    assert "hint: give --target a folder that is not there yet\n" in again.stderr
