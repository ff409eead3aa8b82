"""Where new files are made on ext4."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fixture_types import FindTool

from pytest_reedbackup.databases.clones import Clones
from pytest_reedbackup.databases.disk import file_system, spread
from pytest_reedbackup.injection.power.disks import FileSystem

INODES, GROUPS = 32_768, 4
"""Of 8 MiB each, where blocks have 1 KiB (mke2fs(8))."""


@pytest.fixture
def ext4(tool: FindTool, tmp_path: Path) -> Iterator[Path]:
    """A new file system of several block groups."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    image, folder = tmp_path / "image", tmp_path / "mounted"
    image.touch()
    os.truncate(image, GROUPS * 8 << 20)
    folder.mkdir()
    making = [tool("mkfs.ext4"), "-N", f"{INODES}", "-b", "1024", str(image)]
    subprocess.run(making, check=True, capture_output=True)
    with FileSystem.EXT4.mounted(image, folder):
        yield folder


def groups(folders: Iterable[Path]) -> set[int]:
    """Return the block groups of folders, by their inodes."""
    return {folder.stat().st_ino // (INODES // GROUPS) for folder in folders}


def new(parent: Path) -> list[Path]:
    """Return new folders."""
    folders = [parent / name for name in "abcdefgh"]
    for folder in folders:
        folder.mkdir()
    return folders


def test_folders_in_a_spread_one_begin_in_block_groups_of_their_own(ext4: Path) -> None:
    together, apart = ext4 / "together", ext4 / "apart"
    together.mkdir()
    apart.mkdir()
    assert spread(apart)
    assert spread(apart)
    assert len(groups(new(together))) == 1
    assert len(groups(new(apart))) > 1


def test_no_database_of_a_run_pays_for_what_was_removed_of_another(ext4: Path) -> None:
    folder = ext4 / "databases"
    folder.mkdir()
    of_a_run = Clones(folder)
    assert len(groups(of_a_run.new_folder() for _ in range(8))) > 1


def test_in_memory_nothing_is_spread() -> None:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("this system has no /dev/shm")
    assert file_system(folder) == "tmpfs"
    assert not spread(folder)
