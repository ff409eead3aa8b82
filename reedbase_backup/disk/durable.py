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
from typing import IO

from reedbase_backup.disk.existence import folder_exists, name_exists
from reedbase_backup.disk.folders import close
from reedbase_backup.disk.sharing import (
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    SHARED_FILE,
    SHARED_FOLDER,
    Readers,
)
from reedbase_backup.errors import ReedError, with_outlook

PARTIAL_PREFIX = ".reedbackup-partial-"
"""Unfinished files in backups/; the next backup removes what is left of them."""

NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a disk without hard links, such as one in exFAT, says to a file's second one."""

# Up to here one fsync a file is cheaper than flushing the whole file system
# (10,000 files: fsync each 2.4 s, one syncfs 0.1 s).
_FSYNC_EACH_UP_TO = 64

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNSUPPORTED = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP)
_NO_FULL_SYNC = (*_UNSUPPORTED, errno.ENOTTY)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, of which one system call may take a part only."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync(descriptor: int) -> None:
    """Make an open file's content, or a folder's list of names, durable."""
    os.fsync(descriptor)
    if sys.platform == "darwin":
        # There fsync stops at the drive's cache.
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            # Only APFS, HFS+ and a few others know it (fcntl(2)); elsewhere fsync is all there is.
            if error.errno not in _NO_FULL_SYNC:
                raise


def sync_folder(folder: int, name: str) -> None:
    """Make the open folder's list of names durable, as far as its file system does that.

    Raise OSError, about `name`.
    """
    try:
        sync(folder)
    except OSError as error:
        # CIFS and some in user space know no fsync of folders, and none is needed there.
        if error.errno not in _UNSUPPORTED:
            raise OSError(error.errno, error.strerror, name) from error


def sync_file(path: str) -> None:
    """Do `sync` for a file, or `sync_folder` for a folder, by its path."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _sync_either(descriptor, path)
    finally:
        close(descriptor)


def _sync_either(descriptor: int, name: str) -> None:
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        sync_folder(descriptor, name)
        return
    try:
        sync(descriptor)
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


def sync_tree(root: int, names: Sequence[str]) -> None:
    """Make the open folder `root`, and in it the files and folders `names`, durable."""
    if len(names) <= _FSYNC_EACH_UP_TO or sys.platform != "linux":
        # Some modes keep even the owner from opening a file again.
        with suppress(PermissionError):
            _sync_each(root, names)
            return
    sync_file_system(root)


def _sync_each(root: int, names: Sequence[str]) -> None:
    for name in names:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=root)
        try:
            _sync_either(descriptor, name)
        finally:
            close(descriptor)
    sync_folder(root, ".")


def sync_file_system(folder: int) -> None:
    """Make durable all that is on the file system of an open folder."""
    if sys.platform != "linux":
        os.sync()
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(folder) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class PartialFile:
    """A new file that appears under its name whole and durable, or not at all.

    It is its owner's alone, from the first moment on.
    """

    def __init__(self, folder: str, *, folder_is_new: bool = False) -> None:
        self._folder = folder
        self._folder_is_new = folder_is_new
        self._path = os.path.join(folder, PARTIAL_PREFIX + os.urandom(8).hex())
        self._target: str | None = None
        self._has_name = False
        """Whether the file is known to have had `_target` as its name."""
        descriptor = os.open(self._path, _NEW_FILE, PRIVATE_FILE)
        self.file: IO[bytes] = open(descriptor, "r+b")  # noqa: SIM115 - closed in `close`

    def share(self, readers: Readers) -> None:
        """Open the file, and its folder if that is new, to the group that `readers` are.

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
        """Make the content durable and give it its `name`, never over another file."""
        self.file.flush()
        _sync_either(self.file.fileno(), self._path)
        self._target = os.path.join(self._folder, name)
        self._give_name(self._target)
        sync_file(self._folder)

    def _give_name(self, target: str) -> None:
        # A link, unlike a rename, fails where the name is taken.
        try:
            os.link(self._path, target)
        except OSError as error:
            if error.errno not in NO_HARD_LINKS or name_exists(target):
                raise
            os.rename(self._path, target)
            self._has_name = True
        else:
            self._has_name = True
            os.unlink(self._path)

    def withdraw(self) -> bool:
        """Remove what was written, published or not, after an error.

        False where the published file has its name still, whatever was tried.
        """
        with suppress(OSError):
            # Nobody else could have known this name.
            os.unlink(self._path)
        if self._target is None:
            return True
        try:
            # Where publishing failed, another file may have the name.
            if not self._is_own(self._target):
                return True
        except OSError:
            # Not to be seen any more; but what it was given, nobody took since.
            if not self._has_name:
                return False
        try:
            os.unlink(self._target)
        except OSError:
            # Without a backup's name it is none; the next backup removes it.
            with suppress(OSError):
                # A new one: between two names of one file, a rename does nothing.
                os.rename(self._target, f"{self._path}-withdrawn")
                return True
            return False
        return True

    def _is_own(self, path: str) -> bool:
        try:
            return os.path.samestat(os.lstat(path), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file, wherever it is by now."""
        # Published, it is on disk; else there is an error to report already.
        with suppress(OSError):
            self.file.close()


@contextmanager
def partial_file(folder: str) -> Iterator[PartialFile]:
    """Yield a PartialFile in `folder`, which is made if missing; an error takes both back."""
    is_new = not folder_exists(folder)
    if is_new:
        os.mkdir(folder, PRIVATE_FOLDER)
    try:
        if is_new:
            sync_file(os.path.dirname(folder))
        partial = PartialFile(folder, folder_is_new=is_new)
        try:
            yield partial
        except BaseException as error:
            if not partial.withdraw() and isinstance(error, OSError | ReedError):
                outlook = "the new backup is whole, and could not be removed"
                raise with_outlook(error, "create_backup", outlook) from error
            raise
        finally:
            partial.close()
    except BaseException:
        if is_new:
            with suppress(OSError):
                os.rmdir(folder)
        raise


def remove_partial_files(folder: str) -> None:
    """Remove what a killed backup left in `folder`, and may be removed by this user."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PARTIAL_PREFIX) and entry.is_file(follow_symlinks=False):
                # Another user's, in a sticky folder, is in nobody's way.
                with suppress(PermissionError):
                    os.unlink(entry.path)
