"""What a file's change time tells: that it has changed since, or not yet."""

from __future__ import annotations

import os
import sys
import time

from reedbase_backup.disk.mounts import file_system

# The clock that stamps files ticks coarsely; CLOCK_REALTIME_COARSE, which `time`
# does not name, is that clock on Linux. The coarsest (CONFIG_HZ=100) elsewhere.
TICK_NS = int(time.clock_getres(5) * 10**9) if sys.platform == "linux" else 10_000_000

# Of any file system; FAT's is that coarse.
_COARSEST_NS = 2 * 10**9

# File systems whose files keep their inode numbers, and get a new change time with each
# change, which nobody can set. Not those of servers, which this machine sees late, and
# not FAT, which knows neither.
_FAITHFUL = (
    "ext4",
    "xfs",
    "btrfs",
    "bcachefs",
    "zfs",
    "f2fs",
    "tmpfs",
    "overlay",
)


def is_on_faithful_disk(descriptor: int) -> bool:
    """Return whether times and inode numbers tell which files there are what they were."""
    return file_system(descriptor) in _FAITHFUL


def would_show(status: os.stat_result, descriptor: int) -> bool:
    """Return whether any change from now on gives the open file another change time.

    Two changes within one tick of the file system's clock give one.
    """
    age_ns = time.time_ns() - status.st_ctime_ns
    return age_ns > _COARSEST_NS or (age_ns > TICK_NS and is_on_faithful_disk(descriptor))
