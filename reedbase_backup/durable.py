"""Making files and folders survive a power cut before success is reported."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

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


def sync_tree(root: str, paths: list[str]) -> None:
    """Makes the tree at `root`, which holds the files and folders `paths`, durable."""
    if len(paths) <= _FSYNC_EACH_UP_TO or sys.platform != "linux":
        # Some modes keep even the owner from opening a file again.
        with suppress(PermissionError):
            for path in (*paths, root):
                sync_file(path)
            return
    _sync_file_system(root)


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
    """Removes a folder and all below it, read-only folders too."""
    if os.geteuid() != 0:
        os.chmod(path, 0o700)
        for parent, folders, _ in os.walk(path):
            for folder in folders:
                inside = os.path.join(parent, folder)
                # chmod would change what a symlink leads to.
                if not os.path.islink(inside):
                    os.chmod(inside, 0o700)
    shutil.rmtree(path)


class PartialFile:
    """A new file that appears under its name whole and durable, or not at all."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, f"{PARTIAL_PREFIX}{os.getpid()}")
        self._published: str | None = None
        self.file: IO[bytes] = open(self._path, "xb")  # noqa: SIM115 - closed in `close`

    def publish(self, name: str) -> None:
        """Makes the content durable and gives it its `name`, never over another file."""
        self.file.flush()
        sync(self.file.fileno())
        target = os.path.join(self._folder, name)
        # A link, unlike a rename, fails where the name is taken.
        os.link(self._path, target)
        self._published = target
        os.unlink(self._path)
        sync_file(self._folder)

    def withdraw(self) -> None:
        """Removes what was written, published or not; for the way out of an error."""
        for path in (self._published, self._path):
            if path is not None:
                with suppress(FileNotFoundError):
                    os.unlink(path)

    def close(self) -> None:
        """Closes the file, wherever it is by now."""
        self.file.close()


@contextmanager
def partial_file(folder: str) -> Iterator[PartialFile]:
    """A PartialFile in `folder` (made where it is missing) that an error takes back whole."""
    made = not os.path.isdir(folder)
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
