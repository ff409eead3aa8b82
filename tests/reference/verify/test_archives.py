"""verify reads every archive whole and says today which would restore."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from fixture_types import BackupAt, RunAsNobody

from reedbase_backup import BackupCorrupted, BackupUnsafe, catalogue
from reedbase_backup.picks import UnknownBackup
from reedbase_backup.verify import verify


def test_every_backup_is_verified_newest_first(base: Path, backup_at: BackupAt) -> None:
    for second in (1000, 3000, 2000, 2000):
        backup_at(base, second)
    found = verify(base)
    assert [one.id for one in found] == ["3000", "2000-2", "2000", "1000"]
    assert all(one.is_sound and one.has_manifest and one.table_count == 2 for one in found)


def test_a_flipped_byte_that_list_cannot_see_is_found(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    archive = base / "backups" / "1000.tar.gz"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    (one,) = verify(base)
    assert isinstance(one.damage, BackupCorrupted)
    assert (one.table_count, one.total_bytes) == (None, None)


def test_files_under_an_archives_name_that_are_none_are_reported_and_others_are_not(
    base: Path, backup_at: BackupAt
) -> None:
    backup_at(base, 1000)
    (base / "backups" / "5.tar.gz").touch()
    (base / "backups" / "notes.txt").touch()
    (base / "backups" / "007.tar.gz").touch()
    (base / "backups" / "6.tar.gz").mkdir()
    assert [(one.id, one.is_sound) for one in verify(base)] == [("1000", True), ("5", False)]


def test_an_archive_of_another_implementation_is_sound_without_a_manifest(base: Path) -> None:
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "tables")
    (one,) = verify(base)
    assert one.is_sound
    assert not one.has_manifest


def test_a_hostile_archive_is_not_sound(base: Path) -> None:
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "../tables")
    assert isinstance(verify(base)[0].damage, BackupUnsafe)


def test_the_ids_asked_for_are_verified_and_no_others(base: Path, backup_at: BackupAt) -> None:
    for second in (1000, 2000, 3000):
        backup_at(base, second)
    assert [one.id for one in verify(base, ["3000", "1000.tar.gz"])] == ["3000", "1000"]
    with pytest.raises(UnknownBackup, match="there is no backup 77"):
        verify(base, ["1000", "77"])


def test_one_archive_that_may_not_be_read_does_not_hide_the_others(
    base: Path, backup_at: BackupAt, as_nobody: RunAsNobody
) -> None:
    for second in (1000, 2000):
        backup_at(base, second)
    (base / "backups" / "1000.tar.gz").chmod(0o000)
    done = as_nobody(
        """
from reedbase_backup.verify import verify
for one in verify(sys.argv[1]):
    print(one.id, one.is_sound, one.size_bytes is None, one.damage and one.damage.kind)
""",
        base,
    )
    assert (done.stdout, done.stderr) == (
        "2000 True False None\n1000 False True PermissionDenied\n",
        "",
    )


def test_an_archive_pruned_meanwhile_is_passed_over(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in (1000, 2000):
        backup_at(base, second)
    names = catalogue.archive_names(str(base))
    (base / "backups" / "1000.tar.gz").unlink()
    monkeypatch.setattr(catalogue, "archive_names", lambda _: names)
    assert [one.id for one in verify(base)] == ["2000"]
