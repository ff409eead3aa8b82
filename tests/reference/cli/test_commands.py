"""The command `reedbackup`: what people and programs read, and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot
from reference.cli.fixture_types import RunCommand

from reedbase_backup import list_backups

pytestmark = pytest.mark.usefixtures("utc")


def test_create_makes_a_backup_and_says_which(base: Path, run: RunCommand) -> None:
    status, out, err = run("create", base)
    made = list_backups(base)[0]
    assert (status, err) == (0, "")
    assert out.startswith(f"Backup {made.id} of 20")
    assert "2 tables" in out


def test_create_as_json_is_the_backups_info(base: Path, run: RunCommand) -> None:
    status, out, err = run("create", "--json", base)
    made = list_backups(base)[0]
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "id": made.id,
        "timestamp": made.timestamp,
        "size_bytes": made.size_bytes,
        "table_count": 2,
        "compression": "gzip",
    }


def test_list_shows_seconds_date_age_size_and_tables_newest_first(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    newest = backup_at(base, 90_000)
    status, out, _ = run("list", base)
    header, first, second = (line.split("\t") for line in out.splitlines())
    assert status == 0
    assert header == ["id", "date", "age", "size", "tables", "next create"]
    assert first[:2] == ["90000", "1970-01-02T01:00:00+00:00"]
    assert first[2].endswith("years ago")
    assert first[3] == f"{newest.size_bytes / 1024:.1f} KiB"
    assert second == ["1000", "1970-01-01T00:16:40+00:00", *second[2:4], "2", "keeps it"]


def test_list_as_json_keeps_numbers_beyond_63_bits(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 2**64 - 1)
    assert json.loads(run("list", base, "--json")[1])[0]["timestamp"] == 2**64 - 1


@pytest.mark.parametrize("command", ["list", "verify"])
def test_a_base_without_backups_is_no_failure(base: Path, run: RunCommand, command: str) -> None:
    assert run(command, base) == (0, f"No backups in {base}\n", "")
    assert run(command, base, "--json") == (0, "[]\n", "")


@pytest.mark.parametrize("to", ["1970-01-01T00:20", "1970-01-01T01:20+01:00", "1970-01-02", "1000"])
def test_restore_takes_dates_and_seconds_and_says_which_backup_it_took(
    base: Path, backup_at: BackupAt, run: RunCommand, to: str
) -> None:
    before = (base / "tables" / "text" / "current.csv").read_bytes()
    backup_at(base, 1000)
    backup_at(base, 2**33)
    (base / "tables" / "text" / "current.csv").write_text("now")
    status, out, err = run("restore", base, "--to", to)
    assert (status, err) == (0, "")
    assert out.startswith("Restored backup 1000 of 1970-01-01T00:16:40+00:00: 2 tables, ")
    assert (base / "tables" / "text" / "current.csv").read_bytes() == before


def test_restore_as_json_names_the_backup_and_gives_the_report(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    report = json.loads(run("restore", base, "--to", "1000", "--json")[1])
    assert (report["id"], report["timestamp"], report["tables_restored"]) == ("1000", 1000, 2)
    assert report.keys() == {"id", "timestamp", "tables_restored", "total_bytes", "duration_ms"}


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    base: Path,
    backup_at: BackupAt,
    run: RunCommand,
    snapshot: TakeSnapshot,
) -> None:
    backup_at(base, 1000)
    text = base / "tables" / "text"
    (text / "current.csv").write_text("now")
    (text / "version.log").chmod(0o600)
    (text / "empty.csv").unlink()
    for n in range(12):
        (base / "indices" / f"new{n:02}").touch()
    before, names = snapshot(base), os.listdir(base)

    status, out, err = run("restore", base, "--to", "1000", "--dry-run")

    assert (status, err) == (0, "")
    assert out.splitlines()[0].startswith("Would restore backup 1000 of 1970-01-01T00:16:40")
    assert "1 would come back:\n  tables/text/empty.csv\n" in out
    assert "1 would change:\n  tables/text/current.csv\n" in out
    assert "1 would change in mode only:\n  tables/text/version.log\n" in out
    assert "12 would go:\n  indices/new00\n" in out
    assert "  indices/new09\n  and 2 more\n" in out
    assert (snapshot(base), os.listdir(base)) == (before, names)


def test_a_dry_run_as_json_names_all(base: Path, backup_at: BackupAt, run: RunCommand) -> None:
    backup_at(base, 1000)
    for n in range(12):
        (base / "indices" / f"new{n:02}").touch()
    found = json.loads(run("restore", base, "--to", "1000", "--dry-run", "--json")[1])
    assert found["removed"] == [f"indices/new{n:02}" for n in range(12)]
    assert (found["id"], found["added"], found["changed"], found["mode_changed"]) == (
        "1000",
        [],
        [],
        [],
    )


def test_verify_fails_where_one_backup_is_damaged_and_says_which(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    for second in (1000, 2000):
        backup_at(base, second)
    (base / "backups" / "1000.tar.gz").write_bytes(b"not gzip")
    status, out, _ = run("verify", base)
    _, sound, damaged = out.splitlines()
    assert status == 1
    assert sound.startswith("2000\t")
    assert sound.endswith("\tsound: 2 tables, every SHA-256 right")
    assert damaged.startswith("1000\t")
    assert "\tDAMAGED: Backup '1000.tar.gz' is corrupted: it is not a gzip file" in damaged
    assert run("verify", base, "2000")[0] == 0

    found = json.loads(run("verify", base, "--json")[1])
    assert [one["is_sound"] for one in found] == [True, False]
    assert found[1]["damage"]["kind"] == "BackupCorrupted"


def test_verify_keeps_what_is_damaged_and_what_is_refused_apart(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    with tarfile.open(base / "backups" / "2000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "../tables")
    out = run("verify", base)[1]
    assert "\tREFUSED: Unsafe entry '../tables/': the name leads out of the database" in out


def test_help_shows_every_command_and_examples(run: RunCommand) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for words in ("create", "list", "restore", "verify", "serve", "adapter", "--to 2026-11-22T10"):
        assert words in out


def test_version_is_the_distributions(run: RunCommand) -> None:
    from importlib.metadata import version

    assert run("--version") == (0, f"reedbackup {version('pytest-reedbackup')}\n", "")


def test_the_package_is_imported_without_what_only_the_command_needs() -> None:
    code = """
import sys
import reedbase_backup
assert not {"rich", "msgspec", "argparse", "pytest"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
