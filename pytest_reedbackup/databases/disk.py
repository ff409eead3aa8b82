"""Where new files are made on ext4, so that nobody pays for what was removed before.

ext4 without a journal gives no inode away that was freed less than a minute ago, and for six
minutes where that is not written yet; for each new file it tries all of those of its folder's
block group anew (Linux, fs/ext4/ialloc.c, `recently_deleted`). 5,000 new files took 100 ms of
processor time, and 3,300 ms where as many had been removed (Linux 6.18). Waiting that out takes
minutes, and what others remove meanwhile counts as well. So each database gets a block group of its
own: in a folder with the flag T of chattr(1) ext4 puts each new folder into another one. There the
same files took 100 ms, whatever was removed before.
"""

from __future__ import annotations

import array
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.disk import mounts
from reedbase_backup.disk.durable import sync_file_system

_SPREADING = ("ext2", "ext3", "ext4")
# Linux, include/uapi/linux/fs.h.
_GET_FLAGS, _SET_FLAGS, _TOP_OF_HIERARCHY = 0x8008_6601, 0x4008_6602, 0x0002_0000


def spread(folder: Path) -> bool:
    """Have each folder that is made in `folder` begin in a block group of its own.

    Return whether its file system does that; another has no need of it, and where it may not
    be asked, files cost what they cost.
    """
    with _opened(folder) as descriptor:
        if mounts.file_system(descriptor) not in _SPREADING:
            return False
        flags = array.array("l", [0])
        try:
            fcntl.ioctl(descriptor, _GET_FLAGS, flags)
            flags[0] |= _TOP_OF_HIERARCHY
            fcntl.ioctl(descriptor, _SET_FLAGS, flags)
        except OSError:
            return False
    return True


def sync(folder: Path) -> None:
    """Have all written that is to be written to a folder's file system."""
    with _opened(folder) as descriptor:
        sync_file_system(descriptor)


def file_system(folder: Path) -> str:
    """Return the name of the file system that a folder is on; where that is not said, nothing."""
    with _opened(folder) as descriptor:
        return mounts.file_system(descriptor)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
