"""Which file systems are to be left alone after many files were removed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fixture_types import FindTool

from pytest_reedbackup.bench.disk import Disk, file_system, inodes


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


@pytest.mark.parametrize(
    ("mounted", "avoids_freed"),
    [
        (["mkfs.ext4", "-O", "^has_journal"], True),
        (["mkfs.ext4", "-O", "has_journal"], False),
        (["mkfs.ext2"], False),
    ],
    indirect=["mounted"],
    ids=["ext4 without a journal", "ext4", "ext2"],
)
def test_only_ext4_without_a_journal_avoids_what_was_freed(
    mounted: Path, avoids_freed: bool
) -> None:
    disk = Disk(mounted)
    assert disk.name.startswith("ext")
    assert disk.avoids_freed is avoids_freed
    disk.freed(1_000)
    assert bool(disk.wait_secs) is avoids_freed


def test_memory_avoids_nothing() -> None:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("this system has no /dev/shm")
    assert file_system(folder) == "tmpfs"
    assert not Disk(folder).avoids_freed


def test_files_in_all_folders_are_counted_and_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    files = [tmp_path / "1", tmp_path / "a/2", tmp_path / "a/b/3"]
    for file in files:
        file.touch()
    assert inodes(tmp_path) == {file.stat().st_ino for file in files}
    assert inodes(tmp_path / "missing") == set()
