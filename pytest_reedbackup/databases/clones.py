"""The folders of a run's databases, removed when the run ends and not before.

ext4 without a journal looks, for every file that is made, at each inode of its block group
that was freed lately (`databases/disk.py`): a suite that removed each database after its test
took 80 s, of which this was 30, and one after another that had removed its own 60 instead of 42.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
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
        self._done = folder / "done"
        """Those that no test needs any more, whichever of the run's processes had it."""
        self._removals: list[subprocess.Popen[bytes]] = []
        self._free_at_start = _free_bytes(folder)
        spread(folder)
        self._done.mkdir()

    def new_folder(self) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def done_with(self, folder: Path) -> None:
        """Have `folder` removed: at the run's end, or now where much is kept already."""
        # To add up what is in each folder would take a hundredth of the suite's time.
        if self._free_at_start - _free_bytes(self._folder) > _MOST_BYTES:
            _remove(folder)
        else:
            with suppress(OSError):  # what cannot be moved goes with all the rest
                folder.rename(self._done / folder.name)

    def begin_to_remove(self) -> None:
        """Have what is done with removed beside this process: nothing is made or timed any more."""
        self._removals += _removals(_inside(self._done))

    def remove(self) -> None:
        """Remove all of them, at the run's end."""
        others = [path for path in _inside(self._folder) if path != self._done]
        for removal in (*self._removals, *_removals(_inside(self._done) + others)):
            removal.wait()
        self._removals.clear()
        _remove(self._folder)


def _removals(paths: Sequence[Path]) -> list[subprocess.Popen[bytes]]:
    """Return what removes these folders, as far as rm(1) can."""
    if not shutil.which("rm"):
        return []
    return [
        subprocess.Popen(["rm", "-rf", "--", *paths[first::_AT_ONCE]], stderr=DEVNULL)
        for first in range(min(_AT_ONCE, len(paths)))
    ]


def _inside(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return list(folder.iterdir())
    return []


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
