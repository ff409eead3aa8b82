"""When a file system must be left alone before many files are made on it.

ext4 without a journal gives no inode away that was freed less than a minute ago, and tries
all of those anew for each new file (Linux, fs/ext4/ialloc.c, `recently_deleted`): 10,000 small
files take six times as long right after as many were removed. With a journal, and on any other
file system, it does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_MANY = 1_000
_AVOIDED_SECS = 36.0
"""After 35 s new files were as cheap as ever (measured on Linux 6.18)."""
_NO_JOURNAL = "<none>"
"""What ext4 says in sysfs of who writes its journal, where it has none."""


class Disk:
    """The file system of a folder, and what was freed on it."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        avoided_secs: float | None = None,
    ) -> None:
        """Find out by itself how long freed inodes are avoided, unless `avoided_secs` says."""
        self._clock = clock
        self.name = file_system(folder)
        self._avoided_secs = _avoided_secs(folder) if avoided_secs is None else avoided_secs
        self._ready_at = 0.0

    @property
    def avoids_freed(self) -> bool:
        """Whether it gives no inode away that was freed just before."""
        return self._avoided_secs > 0

    @property
    def wait_secs(self) -> float:
        """How long new inodes still are dear."""
        return max(0.0, self._ready_at - self._clock())

    def freed(self, count: int) -> None:
        """Take note that just now so many files were removed."""
        if count >= _MANY and self.avoids_freed:
            self._ready_at = self._clock() + self._avoided_secs


def inodes(folder: Path) -> frozenset[int]:
    """Return the inodes of all files below a folder; none where it is not there."""
    found: set[int] = set()
    waiting = [os.fspath(folder)] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found.add(entry.inode())
    return frozenset(found)


def file_system(folder: Path) -> str:
    """Return the name of the file system that a folder is on; where that is not said, nothing."""
    return _mounted(folder)[0]


def _mounted(folder: Path) -> tuple[str, str]:
    """Return the name of a folder's file system, and that of its device in sysfs."""
    number = folder.stat().st_dev
    wanted = f"{os.major(number)}:{os.minor(number)}"
    mounts = Path("/proc/self/mountinfo")
    for line in mounts.read_text().splitlines() if mounts.exists() else ():
        # proc_pid_mountinfo(5): the third field is the device; behind " - " come type and source.
        before, _, behind = line.partition(" - ")
        if before.split()[2] == wanted:
            name, source, *_ = behind.split()
            return name, os.path.basename(os.path.realpath(source))
    return "", ""


def _avoided_secs(folder: Path) -> float:
    name, device = _mounted(folder)
    task = Path("/sys/fs/ext4", device, "journal_task")
    if name != "ext4" or (task.exists() and task.read_text().strip() != _NO_JOURNAL):
        return 0.0
    return _AVOIDED_SECS
