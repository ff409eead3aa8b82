"""Values that this process has computed of files, for as long as those stay the same.

It is kept in memory alone: a list changes nothing on disk, and a file of ours in
backups/ could say of the archives beside it whatever somebody has written there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Generic, TypeVar

from reedbase_backup.disk.change_times import would_show

_MOST_FILES = 4096

_Identity = tuple[int, int, int, int, int]
_T = TypeVar("_T")


class FileCache(Generic[_T]):
    """Values by the files that they were computed of."""

    def __init__(self) -> None:
        self._values: dict[_Identity, _T] = {}

    def get(
        self,
        status: os.stat_result,
        opened: Callable[[], IO[bytes]],
        compute: Callable[[IO[bytes]], _T],
    ) -> tuple[os.stat_result, _T]:
        """Return what a file is like and what `compute` says of it.

        It was like `status` just now, and is `opened` and computed of only where that is of
        no file that was computed of before. Raise what these two raise.
        """
        known = _identity(status)
        if known in self._values:
            return status, self._values[known]
        with opened() as file:
            status = os.fstat(file.fileno())
            is_kept = would_show(status, file.fileno())
            value = compute(file)
        if is_kept:
            if len(self._values) >= _MOST_FILES:
                self._values.clear()
            self._values[_identity(status)] = value
        return status, value


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
