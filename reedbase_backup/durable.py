"""Making files and folders survive a power cut before success is reported."""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import IO

from reedbase_backup.presence import is_folder

PARTIAL_PREFIX = ".reedbackup-partial-"
"""Unfinished and retired files in backups/; the next backup removes what is left of them."""

# Up to here one fsync a file is cheaper than flushing the whole file system
# (10,000 files: fsync each 2.4 s, one syncfs 0.1 s).
_FSYNC_EACH_UP_TO = 64


def sync(descriptor: int) -> None:
    """Makes an open file's content, or a folder's list of names, durable."""
    os.fsync(descriptor)
    if sys.platform == "darwin":
        # There fsync stops at the drive's cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def sync_file(path: str) -> None:
    """`sync` for a file or folder by its path."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: str, names: Sequence[str]) -> None:
    """Makes the folder `root`, and in it the files and folders `names`, durable."""
    if len(names) <= _FSYNC_EACH_UP_TO or sys.platform != "linux":
        # Some modes keep even the owner from opening a file again.
        with suppress(PermissionError):
            _sync_each(root, names)
            return
    _sync_file_system(root)


def _sync_each(root: str, names: Sequence[str]) -> None:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            # From `root` on: together the two may be longer than a path can be.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                sync(descriptor)
            finally:
                os.close(descriptor)
        sync(folder)
    finally:
        os.close(folder)


def _sync_file_system(path: str) -> None:
    if sys.platform != "linux":
        os.sync()
        return
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(descriptor)


def remove_tree(path: str) -> None:
    """Removes a folder and all below it, read-only folders and very deep ones too.

    Folders inside folders are first moved up into `path`, so that no path and no
    stack grows with the depth.
    """
    numbers = count()
    pending = [path]
    while pending:
        folder = pending.pop()
        _allow_changes(folder)
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
            elif folder == path:
                pending.append(entry.path)
            else:
                pending.append(_moved_up(entry.path, path, numbers))
        if folder != path:
            os.rmdir(folder)
    os.rmdir(path)


def _moved_up(folder: str, top: str, numbers: Iterator[int]) -> str:
    """Moves `folder` to a name in `top` that is free, and returns its path there."""
    free = (path for n in numbers if not os.path.lexists(path := os.path.join(top, f".{n}")))
    target = next(free)
    # A new parent changes the folder's own `..`, which takes the right to write.
    _allow_changes(folder)
    os.rename(folder, target)
    return target


def _allow_changes(folder: str) -> None:
    mode = os.lstat(folder).st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        os.chmod(folder, stat.S_IMODE(mode) | stat.S_IRWXU)


class PartialFile:
    """A new file that appears under its name whole and durable, or not at all."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, f"{PARTIAL_PREFIX}{os.getpid()}")
        self._target: str | None = None
        self.file: IO[bytes] = open(self._path, "xb")  # noqa: SIM115 - closed in `close`

    def publish(self, name: str) -> None:
        """Makes the content durable and gives it its `name`, never over another file."""
        self.file.flush()
        sync(self.file.fileno())
        self._target = os.path.join(self._folder, name)
        # A link, unlike a rename, fails where the name is taken.
        os.link(self._path, self._target)
        os.unlink(self._path)
        sync_file(self._folder)

    def withdraw(self) -> None:
        """Removes what was written, published or not; for the way out of an error."""
        for path in (self._target, self._path):
            if path is not None:
                with suppress(FileNotFoundError):
                    self._remove_own(path)

    def _remove_own(self, path: str) -> None:
        # Where publishing failed, another file may have the name.
        if os.path.samestat(os.lstat(path), os.fstat(self.file.fileno())):
            os.unlink(path)

    def close(self) -> None:
        """Closes the file, wherever it is by now."""
        # Published, it is on disk; else there is an error to report already.
        with suppress(OSError):
            self.file.close()


@contextmanager
def partial_file(folder: str) -> Iterator[PartialFile]:
    """A PartialFile in `folder` (made where it is missing) that an error takes back whole."""
    made = not is_folder(folder)
    os.makedirs(folder, exist_ok=True)
    try:
        if made:
            sync_file(os.path.dirname(folder))
        partial = PartialFile(folder)
        try:
            yield partial
        except BaseException:
            partial.withdraw()
            raise
        finally:
            partial.close()
    except BaseException:
        if made:
            with suppress(OSError):
                os.rmdir(folder)
        raise


def remove_partial_files(folder: str) -> None:
    """Removes what a killed backup left in `folder`."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PARTIAL_PREFIX) and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)
