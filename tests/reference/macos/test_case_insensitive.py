"""On a disk that takes names that differ in case alone for one, as most Macs' do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.fakes.disk import FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree
from reedbase_backup import (
    ReedError,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.verify import verify

TWO_TABLES = 1_600_000_000
"""When somebody packed two tables whose names differ in case alone, elsewhere."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FakeDisk]:
    elsewhere, base = tmp_path / "elsewhere", tmp_path / ".reed"
    build(DatabaseSpec(tables=("text", "Text"), rows=3), elsewhere)
    build(DatabaseSpec(tables=("text",), rows=3), base)
    (base / "backups").mkdir(mode=0o700)
    pack(elsewhere, base / "backups" / f"{TWO_TABLES}.tar.gz")
    with fake_disk(StoredTree.read(base), is_case_sensitive=False) as disk:
        yield disk


def test_the_disk_takes_two_such_names_for_one(disk: FakeDisk) -> None:
    assert (disk.base / "TABLES" / "Text").samefile(disk.base / "tables" / "text")
    with pytest.raises(FileExistsError):
        (disk.base / "tables" / "TEXT").mkdir()


def test_what_is_backed_up_is_listed_verified_and_restored(disk: FakeDisk) -> None:
    current = disk.base / "tables" / "text" / "current.csv"
    before = current.read_bytes()
    made = create_backup(disk.base)
    assert list_backups(disk.base)[0] == made
    assert {each.id for each in verify(disk.base) if each.is_sound} >= {made.id}
    current.write_bytes(b"other")
    restore_point_in_time(disk.base, made.timestamp)
    assert current.read_bytes() == before


def test_a_table_that_was_renamed_in_case_alone_gets_its_name_back(disk: FakeDisk) -> None:
    made = create_backup(disk.base)
    tables = disk.base / "tables"
    (tables / "text").rename(tables / "on the way")
    (tables / "on the way").rename(tables / "TEXT")
    assert os.listdir(tables) == ["TEXT"]
    restore_point_in_time(disk.base, made.timestamp)
    assert os.listdir(tables) == ["text"]


def test_two_tables_that_cannot_both_be_there_are_refused_and_cost_nothing(
    disk: FakeDisk,
) -> None:
    before = disk.content().tree()
    with pytest.raises(ReedError) as refusal:
        restore_point_in_time(disk.base, TWO_TABLES)
    assert "text" in str(refusal.value).lower()
    assert before.differences(disk.content().tree()) == []
