"""Modes, owners and times come back, whatever the live tree has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fixture_types import ReadDatabase, RunAsNobody

from reedbase_backup import (
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


def test_a_restore_of_unreadable_live_folders_removes_them_and_nothing_beside(
    base: Path, as_nobody: RunAsNobody, tmp_path: Path
) -> None:
    """The live tree may be in any state: it is what the restore is to replace."""
    beside = tmp_path / "beside"
    beside.mkdir(mode=0o500)
    create_backup(base)
    (base / "tables" / "routes").chmod(0o000)
    (base / "tables" / "text" / "link").symlink_to(beside, target_is_directory=True)

    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)

    assert (done.stdout, done.stderr) == ("2\n", "")
    assert (base / "tables" / "routes").stat().st_mode & 0o777 == 0o755
    assert beside.stat().st_mode & 0o777 == 0o500
    assert not any(name.startswith(".reedbackup") for name in os.listdir(base))


@pytest.mark.parametrize("mode", [0o000, 0o200, 0o444, 0o111])
def test_folders_and_files_of_any_mode_come_back_for_any_user(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase, mode: int
) -> None:
    """Backed up by root, restored without its rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can read files of any mode")
    (base / "tables" / "text" / "current.csv").chmod(mode)
    (base / "tables" / "text").chmod(mode)
    (base / "indices").chmod(mode)
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    shutil.rmtree(base / "indices")

    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)

    assert (done.stdout, done.stderr) == ("2\n", "")
    assert database(base) == before


def test_owners_come_back_where_the_user_may_give_files_away(base: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    owners = {"tables/text": (70000, 70001), "tables/text/current.csv": (3_000_000, 4_000_000_000)}
    for name, (uid, gid) in owners.items():
        os.chown(base / name, uid, gid)
    create_backup(base)
    shutil.rmtree(base / "tables")

    restore_point_in_time(base, FOREVER)

    for name, owner in owners.items():
        status = (base / name).stat()
        assert (status.st_uid, status.st_gid) == owner


def test_modes_and_mtimes_of_every_kind_come_back(base: Path, database: ReadDatabase) -> None:
    text = base / "tables" / "text"
    closed = (0o000, 0o200) if os.geteuid() == 0 else ()
    for mode in (*closed, 0o644, 0o755, 0o4755, 0o2755, 0o1777):
        (text / f"file {mode:o}").touch()
        (text / f"file {mode:o}").chmod(mode)
        (text / f"folder {mode:o}").mkdir()
        (text / f"folder {mode:o}").chmod(mode)
    for seconds in (-(2**31), -1, 0, 2**31, 2**33):
        path = text / f"at {seconds}"
        path.touch()
        os.utime(path, ns=(seconds * 10**9 + 123_456_789,) * 2)
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_a_restore_does_not_depend_on_the_umask(base: Path, database: ReadDatabase) -> None:
    before = database(base)
    old = os.umask(0o077)
    try:
        create_backup(base)
        restore_point_in_time(base, FOREVER)
    finally:
        os.umask(old)
    assert database(base) == before
