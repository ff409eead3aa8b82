"""Waiting for a lock in line, and locks where a file system has no flock."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys
import threading
from collections.abc import Callable

from reedbase_backup.disk.folders import close
from reedbase_backup.errors import LockTimeout

UNSUPPORTED = (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""What a file system says that has no such lock; NFS, of one on a folder: EBADF."""

_Lock = Callable[[int, int], object]


def acquire(descriptor: int, operation: int, name: str, timeout_secs: float) -> None:
    """Do flock's `operation` on `descriptor`, in line with all others that wait for it.

    Raise LockTimeout about `name` after `timeout_secs`, or OSError; one of
    UNSUPPORTED where the file system has no such lock.
    """
    _acquire(fcntl.flock, descriptor, operation, name, timeout_secs)


def acquire_record(descriptor: int, operation: int, name: str, timeout_secs: float) -> None:
    """Do `acquire` by the other kind of lock, as on a file server that has no flock."""
    _acquire(_lock_record, descriptor, operation, name, timeout_secs)


def _lock_record(descriptor: int, operation: int) -> None:
    """Take an open file description's lock, which like flock's goes with the last descriptor."""
    if sys.platform != "linux":
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    command = fcntl.F_OFD_SETLK if operation & fcntl.LOCK_NB else fcntl.F_OFD_SETLKW
    kind = fcntl.F_WRLCK if operation & fcntl.LOCK_EX else fcntl.F_RDLCK
    # struct flock: l_type, l_whence, l_start, l_len (0: to the end), l_pid (0: of nobody)
    fcntl.fcntl(descriptor, command, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))


def _acquire(lock: _Lock, descriptor: int, operation: int, name: str, timeout_secs: float) -> None:
    try:
        lock(descriptor, operation | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        # fcntl says EACCES, too, of a lock that is taken.
        if isinstance(error, PermissionError) and lock is fcntl.flock:
            raise
    else:
        return
    waiter = _Waiter(lock, os.dup(descriptor), operation)
    waiter.start()
    if not waiter.ended.wait(timeout_secs):
        raise LockTimeout(name, int(timeout_secs))
    if waiter.error is not None:
        raise waiter.error


class _Waiter(threading.Thread):
    """Waits in the system's own queue, where who came first is served first.

    Trying again and again instead, one is overtaken without end by those who come
    as the lock is free for a moment. No signal and no time ends the waiting, so
    a thread does it, by a descriptor of its own: when nobody waits for the thread
    any more, the lock goes with that descriptor as soon as it is there.
    """

    def __init__(self, lock: _Lock, descriptor: int, operation: int) -> None:
        super().__init__(name="reedbackup-lock", daemon=True)
        self._lock = lock
        self._descriptor = descriptor
        self._operation = operation
        self.ended = threading.Event()
        self.error: OSError | None = None

    def run(self) -> None:
        """Wait for the lock, in the thread."""
        try:
            self._lock(self._descriptor, self._operation)
        except OSError as error:
            self.error = error
        finally:
            close(self._descriptor)
            self.ended.set()
