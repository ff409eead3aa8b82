"""What was copied is at the far end whole, is listed, and restored where all else is gone."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from fixture_types import BackupAt, ReadDatabase
from reference.cli.fixture_types import RunCommand
from reference.remote.fixture_types import Far

from reedbase_backup import list_backups
from reedbase_backup.meter import Meter
from reedbase_backup.picks import at_or_before, by_id
from reedbase_backup.remote import copy_backups, list_remote, restore_from
from reedbase_backup.remote.copying import Copy
from reedbase_backup.types import U64_MAX

LATEST = at_or_before(U64_MAX)


def test_a_lost_base_comes_back_from_what_was_copied(
    base: Path, tmp_path: Path, backup_at: BackupAt, database: ReadDatabase, far: Far
) -> None:
    for seconds in (1000, 2000):
        (base / "tables" / "text" / "current.csv").write_text(f"as of {seconds}")
        backup_at(base, seconds)
    live = database(base)
    report = copy_backups(base, far.url)
    assert [(one.id, one.state) for one in report.backups] == [
        ("2000", "copied"),
        ("1000", "copied"),
    ]
    assert far.names() == [
        "1000.tar.gz",
        "1000.tar.gz.sha256",
        "2000.tar.gz",
        "2000.tar.gz.sha256",
    ]
    archive = (base / "backups" / "1000.tar.gz").read_bytes()
    assert far.read("1000.tar.gz") == archive
    digest = hashlib.sha256(archive).hexdigest()
    assert far.read("1000.tar.gz.sha256").decode() == f"{digest}  1000.tar.gz\n"
    assert [(one.id, one.size_bytes, one.sha256) for one in list_remote(far.url)][1] == (
        "1000",
        len(archive),
        digest,
    )

    shutil.rmtree(base)
    name, restored = restore_from(far.url, base, LATEST)
    assert (name.id, restored.tables_restored) == ("2000", 2)
    assert database(base) == live
    assert [info.id for info in list_backups(base)] == ["2000"]
    # A folder of its own takes nothing else along, and leaves nothing beside it.
    restore_from(far.url, tmp_path / "nowhere", by_id("1000"), target_path=tmp_path / "old")
    assert (tmp_path / "old" / "tables" / "text" / "current.csv").read_text() == "as of 1000"
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == ["indices", "tables"]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".old")]
    assert not (tmp_path / "nowhere").exists()


def test_a_second_copy_sends_only_what_is_new(
    base: Path, backup_at: BackupAt, light_far: Far
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    before = far.read("1000.tar.gz")
    backup_at(base, 2000)
    report = copy_backups(base, far.url)
    assert [(one.id, one.state) for one in report.backups] == [
        ("2000", "copied"),
        ("1000", "there"),
    ]
    assert far.read("1000.tar.gz") == before


def test_a_copy_tells_how_far_it_is_up_to_all_that_it_announced(
    base: Path, backup_at: BackupAt, light_far: Far
) -> None:
    for seconds in (1000, 2000):
        backup_at(base, seconds)
    copy, meter = Copy(base, light_far.url), Meter()
    copy.send(meter)
    assert meter.is_settled
    assert meter.done() == copy.total_bytes > 0
    again = Copy(base, light_far.url)
    assert (again.total_bytes, again.bytes_to_send) == (0, 0)


def test_backups_of_a_base_that_has_lost_its_tables_are_copied(
    base: Path, backup_at: BackupAt, light_far: Far, run: RunCommand
) -> None:
    backup_at(base, 1000)
    shutil.rmtree(base / "tables")
    assert run("copy", base, light_far.url)[0] == 0
    assert light_far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]


def test_only_the_backups_that_are_asked_for_go(
    base: Path, backup_at: BackupAt, light_far: Far, run: RunCommand
) -> None:
    far = light_far
    for seconds in (1000, 2000, 3000):
        backup_at(base, seconds)
    status, out, err = run("copy", base, far.url, "latest", "1000", "--json")
    assert (status, err) == (0, "")
    assert [one["id"] for one in json.loads(out)["backups"]] == ["3000", "1000"]
    assert "2000.tar.gz" not in far.names()


def test_the_command_copies_lists_and_restores(
    base: Path,
    tmp_path: Path,
    backup_at: BackupAt,
    database: ReadDatabase,
    far: Far,
    run: RunCommand,
) -> None:
    backup_at(base, 1000)
    status, out, err = run("copy", base, far.url)
    assert (status, err) == (0, "")
    assert out.startswith("Copied 1 backup, ")
    status, out, err = run("list", "--from", far.url)
    assert (status, err) == (0, "")
    _, line = out.splitlines()
    assert line.startswith("1000\t")
    assert line.endswith("\tread back")
    anew = tmp_path / "anew"
    status, out, err = run("restore", anew, "--from", far.url, "--to", "latest", "--dry-run")
    assert (status, err, anew.exists()) == (0, "", False)
    assert out.startswith("Would fetch backup 1000 of ")
    status, out, err = run("restore", anew, "--from", far.url, "--to", "1000", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["id"] == "1000"
    assert database(anew) == database(base)
    assert anew.stat().st_mode & 0o077 == 0


def test_a_restore_over_a_live_base_replaces_it_and_keeps_its_backups(
    base: Path, backup_at: BackupAt, database: ReadDatabase, light_far: Far
) -> None:
    far = light_far
    backup_at(base, 1000)
    old = database(base)
    copy_backups(base, far.url)
    (base / "backups" / "1000.tar.gz").unlink()
    (base / "tables" / "text" / "current.csv").write_text("new")
    backup_at(base, 2000)
    restore_from(far.url, base, by_id("1000"))
    assert database(base) == old
    assert [info.id for info in list_backups(base)] == ["2000", "1000"]


def test_a_far_end_without_backups_has_none(light_far: Far, run: RunCommand) -> None:
    far = light_far
    assert list_remote(far.url) == []
    status, _, err = run("restore", "anywhere", "--from", far.url, "--to", "latest")
    assert status == 1
    assert "has no backups" in err
    assert not Path("anywhere").exists()
