"""Backups and restores without the rights of root."""

from __future__ import annotations

import os
from pathlib import Path

from fixture_types import BackupAt, ReadDatabase, RunAsNobody


def test_what_may_not_be_read_is_an_error_that_names_it(base: Path, as_nobody: RunAsNobody) -> None:
    (base / "tables" / "text" / "current.csv").chmod(0o200)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied tables/text/current.csv\n", done.stderr


def test_a_folder_that_may_not_be_read_is_an_error_that_names_it(
    base: Path, as_nobody: RunAsNobody
) -> None:
    (base / "tables" / "text" / "empty").chmod(0o000)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied tables/text/empty\n", done.stderr


def test_read_only_folders_are_backed_up_and_restored_by_their_owner(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    for path in (base / "tables" / "text" / "empty", base / "tables" / "text"):
        path.chmod(0o555)
    (base / "tables" / "routes" / "current.csv").chmod(0o400)
    before = database(base)

    done = as_nobody(_CREATE + _RESTORE, base)

    assert (done.stdout, done.stderr) == ("created\nrestored\n", "")
    assert database(base) == before


def test_read_only_roots_are_backed_up_and_restored_by_their_owner(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    for root in ("tables", "indices"):
        (base / root).chmod(0o555)
    before = database(base)
    done = as_nobody(_CREATE + _RESTORE, base)
    assert (done.stdout, done.stderr) == ("created\nrestored\n", "")
    assert database(base) == before


def test_a_base_that_may_not_be_written_is_an_error_and_nothing_is_created(
    base: Path, as_nobody: RunAsNobody
) -> None:
    base.chmod(0o555)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied .reed/backups\n", done.stderr


def test_an_old_archive_that_may_not_be_read_does_not_stop_new_backups(
    base: Path, as_nobody: RunAsNobody, backup_at: BackupAt
) -> None:
    for n in range(33):
        backup_at(base, 1000 + n)
    unreadable = base / "backups" / "1005.tar.gz"
    unreadable.chmod(0o000)
    done = as_nobody(_CREATE, base)
    assert (done.stdout, done.stderr) == ("created\n", "")
    assert unreadable.exists()
    assert len(os.listdir(base / "backups")) == 33


_CREATE = """
try:
    create_backup(sys.argv[1])
    print("created")
except PermissionDenied as error:
    print(error.kind, error.path)
"""

_RESTORE = """
restore_point_in_time(sys.argv[1], 2**63)
print("restored")
"""
