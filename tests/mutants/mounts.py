"""What is mounted in a database."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mutants.tar_gz import ROOTS

_MOUNTS = Path("/proc/self/mountinfo")


def has_mounts_below(live: Path) -> bool:
    """Whether something is mounted in it, which a rename would take away with it."""
    below = f"{live.resolve()}/"
    return any(path.startswith(below) for path, _ in _mounts())


def has_mounts(live: Path) -> bool:
    """Whether something is mounted there, or in it."""
    at = str(live.resolve())
    return has_mounts_below(live) or any(path == at for path, _ in _mounts())


def refuse_read_only(base: Path) -> None:
    """Raises OSError where a part of the database is mounted read-only: half is not restored."""
    roots = [str((base / root).resolve()) for root in ROOTS]
    for path, options in _mounts():
        if "ro" in options and any(f"{path}/".startswith(f"{root}/") for root in roots):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def _mounts() -> Iterator[tuple[str, list[str]]]:
    """Every mount point with its options."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(b" ")
        path = fields[4].decode("unicode_escape").encode("latin-1")
        yield os.fsdecode(path), os.fsdecode(fields[5]).split(",")
