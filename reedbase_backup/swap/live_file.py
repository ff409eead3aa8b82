"""A live file, and whether it is what a backup has."""

from __future__ import annotations

import errno
import os
import stat
import sys
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from reedbase_backup.archive.admission import ArchiveEntry
from reedbase_backup.disk.folders import close, parent

# Of pieces larger than this, the memory is the system's, which clears it each time.
_CHUNK = 1 << 18
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCK = 512
"""What `st_blocks` counts in (stat(2))."""
# Where each file has one, a new one gets it by itself.
_USUAL_XATTRS = ["security.selinux"]
# In the order of a stamp's fields.
_STAMPED = attrgetter(
    "st_mode",
    "st_ino",
    "st_dev",
    "st_uid",
    "st_gid",
    "st_size",
    "st_mtime_ns",
    "st_nlink",
    "st_ctime_ns",
)


class Stamp(NamedTuple):
    """What changes when a file does."""

    mode: int
    inode: int
    device: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    links: int
    ctime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        return cls._make(_STAMPED(found))

    def is_linked_from(self, before: Stamp) -> bool:
        """Return whether a link moved what has changed since `before`: links and ctime."""
        return self[:-2] == before[:-2]


def is_like(live: os.stat_result, entry: ArchiveEntry) -> bool:
    """Return whether, for all that is known before reading, the live file may be `entry`'s."""
    return (
        live.st_size == entry.size
        and live.st_mtime_ns // 10**9 == entry.mtime_ns // 10**9
        and live.st_mode == stat.S_IFREG | entry.mode
        and (live.st_uid, live.st_gid) == (entry.uid, entry.gid)
        # Another name is somebody's way to the file, around the database.
        and live.st_nlink == 1
        # A file with holes would come back without.
        and live.st_blocks * _BLOCK >= live.st_size
    )


def read(folder: int, name: str, before: Stamp, links: int, digest: str) -> Stamp | None:
    """Return the stamp that the file has while it is read.

    None where that is none with so many `links` and this `digest`, or more has changed since
    `before` than a link moves.
    """
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return None
    try:
        stamp = Stamp.of(os.fstat(descriptor))
        is_that = stamp.links == links and stamp.is_linked_from(before)
        if not is_that or _has_xattrs(descriptor):
            return None
        return stamp if _digest(descriptor, stamp.size) == digest else None
    except OSError:
        return None
    finally:
        close(descriptor)


def read_at(top: int, place: str, before: Stamp, links: int, digest: str) -> Stamp | None:
    """Do what `read` does with the file at `place` below `top`, whose folder is opened for it."""
    try:
        with parent(top, place) as (folder, name):
            return read(folder, name, before, links, digest)
    except OSError:
        return None


def _digest(descriptor: int, size: int) -> str:
    """Return the SHA-256 of the first `size` bytes, as a manifest has it."""
    hasher = sha256()
    while size > 0 and (chunk := os.read(descriptor, min(size, _CHUNK))):
        hasher.update(chunk)
        size -= len(chunk)
    return hasher.hexdigest()


def _has_xattrs(descriptor: int) -> bool:
    if sys.platform != "linux":
        return True
    try:
        return os.listxattr(descriptor) not in ([], _USUAL_XATTRS)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return False
