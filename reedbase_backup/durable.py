"""Making files and folders survive a power cut before success is reported."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import IO

from reedbase_backup.presence import is_folder
from reedbase_backup.sharing import (
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    SHARED_FILE,
    SHARED_FOLDER,
    Readers,
)

PARTIAL_PREFIX = ".reedbackup-partial-"
"""Unfinished and retired files in backups/; the next backup removes what is left of them."""

NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a disk without hard links, such as one in exFAT, says to a new one."""

# Up to here one fsync a file is cheaper than flushing the whole file system
# (10,000 files: fsync each 2.4 s, one syncfs 0.1 s).
_FSYNC_EACH_UP_TO = 64

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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
    folder = os.open(root, _FOLDER)
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
    """Removes a folder and all below it, read-only folders and very deep ones too."""
    top = os.open(path, _FOLDER)
    try:
        _empty(top)
    finally:
        os.close(top)
    os.rmdir(path)


def _empty(top: int) -> None:
    """Removes all in the open folder `top`.

    Folders inside folders are first moved up into `top`, so that no path and no
    stack grows with the depth.
    """
    taken = set(os.listdir(top))
    free = (name for n in count() if (name := f".{n}") not in taken)
    pending = ["."]
    while pending:
        folder_name = pending.pop()
        folder = os.open(folder_name, _FOLDER, dir_fd=top)
        try:
            with os.scandir(folder) as entries:
                found = list(entries)
            for entry in found:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                    continue
                _allow_changes(folder, entry)
                name = entry.name if folder_name == "." else next(free)
                if folder_name != ".":
                    os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
                pending.append(name)
        finally:
            os.close(folder)
        if folder_name != ".":
            os.rmdir(folder_name, dir_fd=top)


def _allow_changes(parent: int, folder: os.DirEntry[str]) -> None:
    """Makes it open to its owner: a new parent, too, changes the folder's own `..`."""
    mode = folder.stat(follow_symlinks=False).st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        os.chmod(folder.name, stat.S_IMODE(mode) | stat.S_IRWXU, dir_fd=parent)


class PartialFile:
    """A new file that appears under its name whole and durable, or not at all.

    It is its owner's alone, from the first moment on.
    """

    def __init__(self, folder: str, *, folder_is_new: bool = False) -> None:
        self._folder = folder
        self._folder_is_new = folder_is_new
        self._path = os.path.join(folder, f"{PARTIAL_PREFIX}{os.getpid()}")
        self._target: str | None = None
        descriptor = os.open(self._path, _NEW_FILE, PRIVATE_FILE)
        self.file: IO[bytes] = open(descriptor, "r+b")  # noqa: SIM115 - closed in `close`

    def share(self, readers: Readers) -> None:
        """Opens the file, and its folder if that is new, to the group that `readers` are.

        Only where both are that group's, and the folder is the base's own: one
        behind a link may be within the reach of others than the base is.
        """
        folder = os.lstat(self._folder)
        groups = {folder.st_gid, os.fstat(self.file.fileno()).st_gid}
        if stat.S_ISDIR(folder.st_mode) and len(groups) == 1 and readers.include(*groups):
            os.fchmod(self.file.fileno(), SHARED_FILE)
            if self._folder_is_new:
                os.chmod(self._folder, SHARED_FOLDER)

    def publish(self, name: str) -> None:
        """Makes the content durable and gives it its `name`, never over another file."""
        self.file.flush()
        sync(self.file.fileno())
        self._target = os.path.join(self._folder, name)
        self._give_name(self._target)
        sync_file(self._folder)

    def _give_name(self, target: str) -> None:
        # A link, unlike a rename, fails where the name is taken.
        try:
            os.link(self._path, target)
        except OSError as error:
            if error.errno not in NO_HARD_LINKS or os.path.lexists(target):
                raise
            os.rename(self._path, target)
        else:
            os.unlink(self._path)

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
    if made:
        os.mkdir(folder, PRIVATE_FOLDER)
    try:
        if made:
            sync_file(os.path.dirname(folder))
        partial = PartialFile(folder, folder_is_new=made)
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
