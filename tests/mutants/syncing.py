"""What is on the disk for good, and trees that are copied so that they are."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from mutants.model import Entry

_NO_SYNC_OF_FOLDERS = (errno.EINVAL, errno.EOPNOTSUPP)


def sync_descriptor(descriptor: int) -> None:
    """Wait until it is on the disk; there are file systems that cannot do so for folders."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not is_folder or error.errno not in _NO_SYNC_OF_FOLDERS:
            raise


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        sync_descriptor(descriptor)
    finally:
        close(descriptor)


def close(descriptor: int) -> None:
    """Closes what was only read or has been synced: nothing can be lost with it."""
    with suppress(OSError):
        os.close(descriptor)


def settle(descriptor: int, mode: int, times: tuple[float, float]) -> None:
    """Gives a written file or a filled folder what it has from then on, for good."""
    os.fchmod(descriptor, mode)
    os.utime(descriptor, times)
    sync_descriptor(descriptor)


def write_unsynced(path: Path, entry: Entry) -> None:
    """Writes a file of a backup, and leaves it to the file system's cache."""
    path.write_bytes(entry.content)
    path.chmod(entry.mode)
    os.utime(path, (entry.mtime, entry.mtime))


def settle_folder(path: Path, mode: int, times: tuple[float, float]) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        settle(descriptor, mode, times)
    finally:
        close(descriptor)


def mark(path: Path) -> None:
    """Makes an empty file, for good, that says something by being there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    close(os.open(path, flags, 0o600))
    sync(path.parent)


def copy(source: Path, target: Path) -> None:
    """Copies whatever it is to a name that is free, for good but for that name."""
    status = source.lstat()
    mode, times = stat.S_IMODE(status.st_mode), (status.st_atime, status.st_mtime)
    if stat.S_ISLNK(status.st_mode):
        target.symlink_to(os.readlink(source))
    elif stat.S_ISDIR(status.st_mode):
        target.mkdir(0o700)
        for child in source.iterdir():
            copy(child, target / child.name)
        settle_folder(target, mode, times)
    elif stat.S_ISREG(status.st_mode):
        with target.open("xb") as file:
            file.write(source.read_bytes())
            file.flush()
            settle(file.fileno(), mode, times)
    else:
        os.mknod(target, status.st_mode, status.st_rdev)
