"""Locks on a disk in memory, and what is asked of its files by ioctl; see `stand_ins`."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import Any, NoReturn

from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_io import FakeFcntlModule

_FICLONE, _FICLONERANGE = 0x40049409, 0x4020940D
_LOCK_PAUSE_SECS = 0.005


class StandInFcntl(FakeFcntlModule):
    """`fcntl` on the fake disk."""

    def __init__(self, filesystem: FakeFilesystem) -> None:
        super().__init__(filesystem)
        self._locks: list[tuple[Any, Any, int]] = []

    def ioctl(self, fd: int, request: int, arg: Any = 0, mutate_flag: bool = True) -> NoReturn:
        """Raise what a file system says that shares no blocks and has no attributes."""
        code = errno.EOPNOTSUPP if request in (_FICLONE, _FICLONERANGE) else errno.ENOTTY
        raise OSError(code, os.strerror(code))

    def flock(self, fd: Any, operation: int) -> None:
        """Lock a file or folder, until the last descriptor of this open file is closed.

        Who waits for a lock waits on, as in life.
        """
        number = fd if isinstance(fd, int) else fd.fileno()
        handle = self.filesystem.get_open_file(number)
        node = handle.get_object()
        while True:
            self._locks = [
                lock for lock in self._locks if lock[0] is not handle and self._is_open(lock[0])
            ]
            if operation & fcntl.LOCK_UN:
                return
            others = [kind for _, locked, kind in self._locks if locked is node]
            if not others or (operation & fcntl.LOCK_SH and fcntl.LOCK_EX not in others):
                kind = fcntl.LOCK_EX if operation & fcntl.LOCK_EX else fcntl.LOCK_SH
                self._locks.append((handle, node, kind))
                return
            if operation & fcntl.LOCK_NB or not self._is_open(handle):
                raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
            time.sleep(_LOCK_PAUSE_SECS)

    def _is_open(self, handle: Any) -> bool:
        return any(handle in files for files in self.filesystem.open_files if files)
