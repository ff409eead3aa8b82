"""On a Mac: no syncfs, no /proc, no attributes of Linux, and syncs that reach the drive."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from reference.macos.conftest import Mac

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.views.base import live_tree
from reedbase_backup import IoError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.doctor.base import _holder
from reedbase_backup.verify import verify


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / ".reed"
    # More files than are synced one by one where there is a syncfs.
    build(DatabaseSpec(tables=2, rows=5, versions=40, indices=1), base)
    return base


def backed_up_and_restored(base: Path) -> None:
    """Back up, change everything, and see that a restore brings all of it back."""
    before = live_tree(base)
    made = create_backup(base)
    assert made.timestamp == list_backups(base)[0].timestamp
    change_everything(base)
    report = restore_point_in_time(base, made.timestamp)
    assert before.differences(live_tree(base), mtime=True) == []
    assert report.tables_restored == made.table_count == 2


def test_all_that_is_reported_has_reached_the_drive(base: Path, mac: Mac) -> None:
    made = create_backup(base)
    folder = base / "backups"
    # The archive is synced under the name that it has until it is whole.
    assert [path for path in mac.full_syncs if Path(path).parent == folder and ".json" not in path]
    assert str(folder) in mac.full_syncs
    assert str(base) in mac.full_syncs
    mac.full_syncs.clear()
    change_everything(base)
    restore_point_in_time(base, made.timestamp)
    files = [path for path in (base / "tables").rglob("*") if path.is_file()]
    assert len(files) > 64
    synced = {Path(path).name for path in mac.full_syncs}
    assert {path.name for path in files} <= synced
    assert str(base) in mac.full_syncs


@pytest.mark.parametrize("error", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_disk_without_full_syncs_is_synced_as_far_as_it_can_be(
    base: Path, mac: Mac, error: int
) -> None:
    mac.error = error
    backed_up_and_restored(base)
    assert mac.full_syncs == []


def test_a_full_sync_that_fails_is_an_error_and_leaves_no_backup(base: Path, mac: Mac) -> None:
    mac.error = errno.EIO
    with pytest.raises(IoError):
        create_backup(base)
    mac.error = 0
    assert list_backups(base) == []


def test_backups_are_made_and_restored_without_any_call_of_linux(base: Path, mac: Mac) -> None:
    for _ in range(2):  # the second links and reuses nothing that it cannot prove
        backed_up_and_restored(base)
    assert [each.is_sound for each in verify(base)] == [True, True]


def test_who_holds_a_lock_is_not_told_where_no_proc_tells_it(base: Path, mac: Mac) -> None:
    lock = base / "tables" / "text" / ".lock"
    lock.touch()
    assert _holder(str(lock)) == ""
