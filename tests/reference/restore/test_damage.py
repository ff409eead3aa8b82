"""A backup that is damaged is an error, and nothing changes."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot
from reference.restore.live import change

from reedbase_backup import (
    BackupCorrupted,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


def damaged(archive: Path, how: str) -> bytes:
    content = bytearray(archive.read_bytes())
    middle = len(content) // 2
    match how:
        case "flipped":
            content[middle] ^= 1
        case "missing":
            del content[middle]
        case "cut":
            del content[-1]
        case "longer":
            content += b"\0"
        case "no gzip":
            content[:] = b"not gzip"
        case "empty":
            content.clear()
    return bytes(content)


@pytest.mark.parametrize("how", ["flipped", "missing", "cut", "longer", "no gzip", "empty"])
def test_a_damaged_pick_is_an_error_that_names_it_and_never_an_older_backup(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, how: str
) -> None:
    backup_at(base, 1000)
    backup_at(base, 2000)
    archive = base / "backups" / "2000.tar.gz"
    archive.write_bytes(damaged(archive, how))
    change(base, "now")
    before = snapshot(base)

    with pytest.raises(BackupCorrupted) as caught:
        restore_point_in_time(base, FOREVER)

    assert caught.value.archive == "2000.tar.gz"
    assert snapshot(base) == before
    assert restore_point_in_time(base, 1999).tables_restored == 2


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
def test_damage_amid_a_large_file_is_found_and_nothing_changes(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, how: str
) -> None:
    """Where the archive takes more than one read."""
    (base / "indices" / "big").write_bytes(random.Random(60).randbytes(5 << 20))
    backup_at(base, 2000)
    archive = base / "backups" / "2000.tar.gz"
    archive.write_bytes(damaged(archive, how))
    before = snapshot(base)
    with pytest.raises(BackupCorrupted, match=r"2000.tar.gz"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
def test_damage_amid_a_large_file_of_a_foreign_archive_is_found(
    base: Path, snapshot: TakeSnapshot, how: str
) -> None:
    (base / "indices" / "big").write_bytes(random.Random(60).randbytes(5 << 20))
    (base / "backups").mkdir()
    archive = base / "backups" / "2000.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(base / "indices", "indices")
        opened.add(base / "tables", "tables")
    archive.write_bytes(damaged(archive, how))
    before = snapshot(base)
    with pytest.raises(BackupCorrupted, match=r"2000.tar.gz"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


def test_a_file_that_list_leaves_out_is_still_the_pick(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").touch()
    assert [info.id for info in list_backups(base)] == ["1000"]
    with pytest.raises(BackupCorrupted, match=r"'2000.tar.gz' is corrupted: it is empty"):
        restore_point_in_time(base, 2000)
