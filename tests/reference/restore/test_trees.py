"""The trees after a restore are those of the backup, and nothing else has changed."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase, ReadDatabase, TakeSnapshot
from reference.restore.live import change

from reedbase_backup import (
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


def test_the_trees_are_exactly_as_at_the_backup(base: Path, database: ReadDatabase) -> None:
    before = database(base)
    create_backup(base)

    text = base / "tables" / "text"
    change(base, "longer than before, and of another mode")
    (text / "current.csv").chmod(0o777)
    (text / "made since.csv").touch()
    (text / "empty").rmdir()
    (text / "empty.csv").unlink()
    (text / "empty.csv").mkdir()
    shutil.rmtree(base / "tables" / "routes")
    (base / "tables" / "new" / "deep").mkdir(parents=True)
    (base / "indices" / "metadata.json").unlink()
    os.utime(base / "indices", ns=(0, 0))
    restore_point_in_time(base, FOREVER)

    assert database(base) == before


@pytest.mark.parametrize("lost", ["tables", "indices"])
def test_a_root_that_was_lost_comes_back(base: Path, database: ReadDatabase, lost: str) -> None:
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / lost)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


@pytest.mark.parametrize("lost", ["tables", "indices"])
def test_a_file_or_symlink_in_place_of_a_root_is_replaced_and_never_followed(
    base: Path, database: ReadDatabase, lost: str, tmp_path: Path
) -> None:
    before = database(base)
    create_backup(base)
    (base / lost).rename(tmp_path / "elsewhere")
    (base / lost).symlink_to(tmp_path / "elsewhere")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert (tmp_path / "elsewhere").is_dir()

    shutil.rmtree(base / lost)
    (base / lost).touch()
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_everything_else_in_the_base_stays_as_it_was(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot
) -> None:
    backup_at(base, 1000)
    change(base, "changed")
    backup_at(base, 2000)
    (base / "registry" / "users.dict").write_text("code|username|created_at\n")
    (base / "notes").symlink_to("nowhere")
    (base / "backups" / "notes.txt").write_text("keep me")
    (base / "config").mkdir()
    kept = ("registry", "backups", "notes", "config")
    before, names = snapshot(base, *kept), set(os.listdir(base))

    restore_point_in_time(base, 1000)

    assert snapshot(base, *kept) == before
    assert set(os.listdir(base)) == names


def test_the_report_gives_tables_bytes_and_time(base: Path) -> None:
    files = [p for root in ("tables", "indices") for p in (base / root).rglob("*") if p.is_file()]
    total = sum(path.stat().st_size for path in files)
    create_backup(base)
    shutil.rmtree(base / "tables")

    started = time.monotonic_ns()
    report = restore_point_in_time(base, FOREVER)
    elapsed_ms = (time.monotonic_ns() - started) // 10**6

    assert (report.tables_restored, report.total_bytes) == (2, total)
    assert 0 <= report.duration_ms <= elapsed_ms


def test_the_same_restore_twice_gives_the_same_tree(base: Path, database: ReadDatabase) -> None:
    create_backup(base)
    change(base, "now")
    first = restore_point_in_time(base, FOREVER)
    once = database(base)
    second = restore_point_in_time(base, FOREVER)
    assert database(base) == once
    assert (first.tables_restored, first.total_bytes) == (
        second.tables_restored,
        second.total_bytes,
    )


def test_a_restore_after_a_restore_can_go_either_way_in_time(
    base: Path, backup_at: BackupAt, database: ReadDatabase
) -> None:
    trees = {}
    for second in (1000, 2000, 3000):
        change(base, f"at {second}")
        (base / "tables" / f"t{second}").mkdir()
        backup_at(base, second)
        trees[second] = database(base)
    for second in (1000, 3000, 2000, 2000, 1000):
        restore_point_in_time(base, second)
        assert database(base) == trees[second]


def test_many_files_come_back(make_base: MakeBase, database: ReadDatabase) -> None:
    """More than are synced one by one."""
    base = make_base("t")
    chance = random.Random(60)
    for n in range(500):
        (base / "tables" / "t" / f"{n}.bsdiff").write_bytes(chance.randbytes(100))
    (base / "indices" / "big").write_bytes(chance.randbytes(3 << 20) + bytes(3 << 20))
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_200_tables_come_back(make_base: MakeBase, database: ReadDatabase) -> None:
    base = make_base(*(f"t{n}" for n in range(200)))
    before = database(base)
    assert create_backup(base).table_count == 200
    shutil.rmtree(base / "tables")
    assert restore_point_in_time(base, FOREVER).tables_restored == 200
    assert database(base) == before
