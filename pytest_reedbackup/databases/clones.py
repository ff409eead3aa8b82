"""The folders of a run's databases, removed when the run ends and not before.

ext4 without a journal looks, for every file that is made, at each inode of its block group
that was freed lately (`databases/disk.py`): a suite that removed each database after its test
took 80 s, of which this was 30, and one after another that had removed its own 60 instead of 42.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.disk import spread

_MOST_BYTES = 1 << 30
"""Once a run has taken more of the disk, folders are removed at once: many tests with big
databases fill none."""
_AT_ONCE = 16
"""As many are removed at a time. It is more than half waiting for the disk: of 14,500 files and
4,900 folders, 0.7 s instead of 1.8; and rm(1) takes half the processor time that Python does."""


class Clones:
    """Folders in `folder`, one a test, for what it has cloned."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._free_at_start = _free_bytes(folder)
        spread(folder)

    def new_folder(self) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def done_with(self, folder: Path) -> None:
        """Have `folder` removed: at the run's end, or now where much is kept already."""
        # To add up what is in each folder would take a hundredth of the suite's time.
        if self._free_at_start - _free_bytes(self._folder) > _MOST_BYTES:
            _remove(folder)

    def remove(self) -> None:
        """Remove all of them, at the run's end."""
        if self._folder.is_dir() and shutil.which("rm"):
            _remove_below(self._folder)
        _remove(self._folder)


def _remove_below(folder: Path) -> None:
    """Remove what is in `folder`, as far as rm(1) can."""
    names = os.listdir(folder)
    removals = [
        subprocess.Popen(["rm", "-rf", "--", *names[first::_AT_ONCE]], cwd=folder, stderr=DEVNULL)
        for first in range(min(_AT_ONCE, len(names)))
    ]
    for removal in removals:
        removal.wait()


def _remove(folder: Path) -> None:
    """Remove a folder where an implementation may still be at work, after the run gave it up.

    That changes no verdict. What it makes meanwhile goes with pytest's own temporary
    folder, three runs later.
    """
    try:
        remove_tree(folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _free_bytes(folder: Path) -> int:
    """Return what is free on a folder's disk; nothing where the folder is gone."""
    with suppress(FileNotFoundError):
        return shutil.disk_usage(folder).free
    return 0
