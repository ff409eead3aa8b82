"""Where new files are made on ext4."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from fixture_types import FindTool

from pytest_reedbackup.databases.clones import Clones
from pytest_reedbackup.databases.disk import file_system, spread


@pytest.fixture
def mounted(request: pytest.FixtureRequest, tool: FindTool, tmp_path: Path) -> Iterator[Path]:
    """A new file system, made by the command that the test is given."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    command: Sequence[str] = request.param
    image, folder = tmp_path / "image", tmp_path / "mounted"
    image.touch()
    os.truncate(image, 32 << 20)
    folder.mkdir()
    subprocess.run([tool(command[0]), *command[1:], image], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    yield folder
    subprocess.run(["umount", folder], check=True, capture_output=True)


def groups(folders: Iterable[Path]) -> set[int]:
    """Return the block groups of folders, by their inodes."""
    per_group = 8_192
    return {folder.stat().st_ino // per_group for folder in folders}


def new(parent: Path) -> list[Path]:
    """Return new folders."""
    folders = [parent / name for name in "abcdefgh"]
    for folder in folders:
        folder.mkdir()
    return folders


ext4 = pytest.mark.parametrize(
    "mounted", [["mkfs.ext4", "-N", "32768", "-b", "1024"]], indirect=True, ids=["ext4"]
)


@ext4
def test_folders_in_a_spread_one_begin_in_block_groups_of_their_own(mounted: Path) -> None:
    together, apart = mounted / "together", mounted / "apart"
    together.mkdir()
    apart.mkdir()
    assert spread(apart)
    assert spread(apart)
    assert len(groups(new(together))) == 1
    assert len(groups(new(apart))) > 1


@ext4
def test_no_database_of_a_run_pays_for_what_was_removed_of_another(mounted: Path) -> None:
    folder = mounted / "databases"
    folder.mkdir()
    of_a_run = Clones(folder)
    assert len(groups(of_a_run.new_folder() for _ in range(8))) > 1


def test_in_memory_nothing_is_spread() -> None:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("this system has no /dev/shm")
    assert file_system(folder) == "tmpfs"
    assert not spread(folder)
