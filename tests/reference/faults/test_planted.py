"""What others put under the names of a restore's working folder is neither followed nor trusted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import ReadDatabase, RunAsNobody, TakeSnapshot
from reference.faults.traced import AS_NOBODY, IMPORTS, RunTraced

from reedbase_backup import create_backup, restore_point_in_time
from reedbase_backup.swap import working_folders
from reedbase_backup.types import U64_MAX as FOREVER


@pytest.mark.parametrize("kind", ["staging", "commit"])
@pytest.mark.parametrize("plant", ["file", "fifo", "symlink", "open folder", "folder of another"])
def test_what_has_the_name_of_a_working_folder_is_nobodys_business(
    base: Path,
    database: ReadDatabase,
    snapshot: TakeSnapshot,
    tmp_path: Path,
    kind: str,
    plant: str,
) -> None:
    before = database(base)
    create_backup(base)
    elsewhere = tmp_path / "elsewhere"
    for folder in ("new/tables", "old/deep/deeper"):
        (elsewhere / folder).mkdir(parents=True)
    path = base / f".reedbackup-{kind}-0123456789abcdef"
    if plant == "file":
        path.write_text("not ours")
    elif plant == "fifo":
        os.mkfifo(path)
    elif plant == "symlink":
        path.symlink_to(elsewhere, target_is_directory=True)
    else:
        path.mkdir(mode=0o755 if plant == "open folder" else 0o700)
        (path / "old").symlink_to(elsewhere, target_is_directory=True)
        (path / "new").symlink_to(elsewhere, target_is_directory=True)
        if plant == "folder of another":
            if os.geteuid() != 0:
                pytest.skip("only root can make another user's folder")
            os.chown(path, 12345, 12345)
    outside, planted = snapshot(elsewhere), snapshot(base, path.name)
    (base / "tables" / "text" / "current.csv").write_text("changed")
    assert restore_point_in_time(base, FOREVER).tables_restored == 2
    assert create_backup(base).table_count == 2
    assert database(base) == before
    assert snapshot(elsewhere) == outside
    assert snapshot(base, path.name) == planted


@pytest.mark.parametrize("linked", ["old", "new", "journal", "new/tables"])
def test_a_journal_of_ours_beside_planted_symlinks_is_not_followed(
    base: Path,
    database: ReadDatabase,
    snapshot: TakeSnapshot,
    tmp_path: Path,
    run_traced: RunTraced,
    linked: str,
) -> None:
    """V5: all else is as a killed restore left it."""
    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("changed")
    n = 1
    while not list(base.glob(".reedbackup-commit-*")):
        for unfinished in base.glob(".reedbackup-staging-*"):
            shutil.rmtree(unfinished)
        run_traced("restore", base, f"renameat:signal=SIGKILL:when={n}", "renameat")
        n += 1
    work = next(base.glob(".reedbackup-commit-*"))
    elsewhere = tmp_path / "elsewhere"
    (work / linked).rename(elsewhere)
    (work / linked).symlink_to(elsewhere)
    before, outside = database(base), snapshot(tmp_path, "elsewhere")
    create_backup(base)
    assert database(base) == before
    assert snapshot(tmp_path, "elsewhere") == outside
    assert restore_point_in_time(base, FOREVER).tables_restored == 2
    assert snapshot(tmp_path, "elsewhere") == outside


def test_a_working_folder_of_root_that_counts_is_an_error_for_others(
    base: Path, as_nobody: RunAsNobody
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can leave one to others")
    create_backup(base)
    work = base / working_folders.commit_name("0123456789abcdef")
    work.mkdir(mode=0o700)
    code = """
from reedbase_backup import ReedError
try:
    create_backup(sys.argv[1])
except ReedError as error:
    print(error)
"""
    assert as_nobody("", base).stderr == ""
    # Which has given all to the user; this one stays root's.
    os.chown(work, 0, 0)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY + IMPORTS + code, base.name],
        cwd=base.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "another user's restore that was cut off" in done.stdout, done
