"""Which backups remain: contract `ticket`, create/retention, whatever else is beside them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from fixture_types import BackupAt

from reedbase_backup import (
    list_backups,
    retention,
)


def test_a_second_of_40_backups_keeps_the_32_created_last(base: Path, backup_at: BackupAt) -> None:
    made = [backup_at(base, 1000) for _ in range(40)]
    assert list_backups(base) == made[:7:-1]


def test_exactly_the_32_newest_backups_remain(base: Path, backup_at: BackupAt) -> None:
    made = []
    for n in range(35):
        made.append(backup_at(base, 1000 + n))
        assert list_backups(base) == made[: -retention.KEEP - 1 : -1]
    assert len(os.listdir(base / "backups")) == 32


def test_retention_neither_counts_nor_deletes_what_is_no_backup(
    base: Path, backup_at: BackupAt
) -> None:
    backups = base / "backups"
    backups.mkdir()
    (backups / "notes.txt").touch()
    (backups / "007.tar.gz").write_bytes(b"somebody's")
    (backups / "5.tar.gz").write_bytes(b"not gzip")
    (backups / "6.tar.gz").mkdir()
    (backups / "7.tar.gz").symlink_to("notes.txt")
    foreign = set(os.listdir(backups))

    made = [backup_at(base, 1000 + n) for n in range(34)]

    assert list_backups(base) == made[:1:-1]
    assert foreign < set(os.listdir(backups))


def test_retention_counts_whole_archives_of_other_implementations(
    base: Path, backup_at: BackupAt
) -> None:
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "999.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "tables")
    for n in range(31):
        backup_at(base, 1000 + n)
    assert list_backups(base)[-1].id == "999"
    backup_at(base, 2000)
    assert list_backups(base)[-1].id == "1000"


@pytest.mark.parametrize("call", ["rename", "unlink"])
def test_an_interrupt_as_old_backups_are_pruned_loses_none_that_is_to_stay(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Ctrl-C just after the `call` on an old archive."""
    made = [backup_at(base, 1000 + n).id for n in range(32)]
    original = getattr(os, call)

    def interrupted(path: str, *more: str) -> None:
        original(path, *more)
        if "1000.tar.gz" in path:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup_at(base, 2000)
    # As if the call had never been, or as if it had ended.
    expected = made if call == "rename" else [*made[1:], "2000"]
    assert [info.id for info in list_backups(base)] == expected[::-1]


def test_an_interrupt_as_the_archive_gets_its_name_takes_it_back(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def interrupted(source: str, target: str) -> None:
        link(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup_at(base, 1000)
    assert not (base / "backups").exists()


def test_a_name_that_a_folder_holds_is_not_taken_for_the_backup(
    base: Path, backup_at: BackupAt
) -> None:
    (base / "backups" / "1000.tar.gz").mkdir(parents=True)
    assert backup_at(base, 1000).id == "1000-2"


def test_the_backups_folder_may_be_a_link_to_another_disk(
    base: Path, backup_at: BackupAt, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (base / "backups").symlink_to(tmp_path / "disk")
    info = backup_at(base, 1000)
    assert os.listdir(tmp_path / "disk") == ["1000.tar.gz"]
    assert list_backups(base) == [info]
