"""What is mounted: points below a database, which no rename moves, and which file system it is."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator, Sequence

from reedbase_backup.disk.folders import NOTHING_THERE, OPEN_FOLDER, opened

_MOUNTS = "/proc/self/mountinfo"
_MOUNT_POINT = 4
"""The field of a line there that says where something is mounted (proc(5))."""


def mount_points(base: int, roots: Sequence[str]) -> frozenset[str]:
    """Return the places at or below `roots`, in the open folder `base`, where something is mounted.

    Raise OSError.
    """
    if sys.platform == "linux":
        try:
            path = os.readlink(f"/proc/self/fd/{base}")
            points = all_mount_points()
        except (FileNotFoundError, PermissionError):
            # No /proc here; the folders themselves tell, but for bind mounts.
            return frozenset(_other_devices(base, roots))
        prefix = path.rstrip("/") + "/"
        places = [point[len(prefix) :] for point in points if point.startswith(prefix)]
        return frozenset(place for place in places if place.partition("/")[0] in roots)
    return frozenset(_other_devices(base, roots))


def all_mount_points() -> list[str]:
    """Return where anything is mounted, oldest first. Raise OSError, as where there is no /proc."""
    with open(_MOUNTS, "rb") as lines:
        return [_unescaped(line.split()[_MOUNT_POINT]) for line in lines]


def file_system(descriptor: int) -> str:
    """Return the name of the file system that an open file is on; "" where none is told."""
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", "rb") as lines:
            (mount,) = (line.split()[1] for line in lines if line.startswith(b"mnt_id:"))
        with open(_MOUNTS, "rb") as lines:
            (line,) = (line for line in lines if line.split(maxsplit=1)[0] == mount)
    except (OSError, ValueError):
        # No Linux, or no /proc here.
        return ""
    return os.fsdecode(line.partition(b" - ")[2].split()[0])


def _unescaped(field: bytes) -> str:
    # Octal for blanks and such.
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), field))


def _other_devices(base: int, roots: Sequence[str]) -> Iterator[str]:
    """Yield folders on another device than the one above them."""
    pending = [(root, os.fstat(base).st_dev) for root in roots]
    while pending:
        place, above = pending.pop()
        try:
            with opened(base, place, OPEN_FOLDER) as folder:
                device = os.fstat(folder).st_dev
                with os.scandir(folder) as entries:
                    names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError as error:
            if error.errno not in (*NOTHING_THERE, errno.EACCES):
                raise
            continue
        if device != above:
            yield place
        pending += [(f"{place}/{name}", device) for name in names]
