"""Values that this process has computed of files, for as long as those stay the same.

It is kept in memory alone: a list changes nothing on disk, and a file of ours in
backups/ could say of the archives beside it whatever somebody has written there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_MOST_FILES = 4096
# File systems stamp with clocks as coarse as this (FAT: 2 s): a file that has
# just been changed may change again without looking any different.
_SETTLED_NS = 2 * 10**9

_Identity = tuple[int, int, int, int, int]


class FileCache:
    """Numbers by the files that they were computed of; None for a file that has none."""

    def __init__(self) -> None:
        self._values: dict[_Identity, int | None] = {}

    def get(self, path: str, compute: Callable[[], int | None]) -> int | None:
        """Return what `compute` says of the file at `path`, asked again only where it has changed.

        Raise OSError where there is no such file, and what `compute` raises.
        """
        before = _identity(path)
        try:
            return self._values[before]
        except KeyError:
            value = compute()
        is_settled = time.time_ns() - before[-1] > _SETTLED_NS
        if is_settled and _identity(path) == before:
            if len(self._values) >= _MOST_FILES:
                self._values.clear()
            self._values[before] = value
        return value


def _identity(path: str) -> _Identity:
    status = os.lstat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
