"""Where and when an archive was made: what its index says of files is true there alone.

An inode number and times say nothing of a file of another machine, or of a copy, even
one that `cp -a` has made to look the same. So an archive says which file it is itself.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

_FIELDS = struct.Struct("<qQQQQ")


class Origin(NamedTuple):
    """Which file an archive is, which base it is of, and when it was begun."""

    began_ns: int
    """By the clock that stamps files there, before any was read; 0 where none can be told by it."""
    device: int
    inode: int
    base_device: int
    base_inode: int

    @classmethod
    def of(cls, archive: int, base: int) -> Origin:
        """Return the origin of an archive just created and open, as the base is. Raise OSError."""
        own = os.fstat(archive)
        # Stamped as the database's files are: they are compared with it, if on this device.
        began_ns = own.st_ctime_ns
        # Times in whole seconds: of two changes in one, the second would not show.
        return cls(began_ns if began_ns % 10**9 else 0, *_ids(own), *_ids(os.fstat(base)))

    def is_that_of(self, archive: os.stat_result, base: int) -> bool:
        """Return whether an archive is the very file that was written, and of this base."""
        return self[1:] == (*_ids(archive), *_ids(os.fstat(base)))


SIZE = _FIELDS.size


def encode(origin: Origin) -> bytes:
    """Return `origin` in SIZE bytes."""
    return _FIELDS.pack(*origin)


def decode(content: bytes) -> Origin:
    """Return the origin at the beginning of `content`."""
    return Origin(*_FIELDS.unpack_from(content))


def _ids(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
