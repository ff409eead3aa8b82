"""Limits that the system sets a process: open files, the size of a file, memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from pytest_reedbackup.injection.traced.sessions import session
from pytest_reedbackup.model.failures import MissingCapability


class Limit(StrEnum):
    """What a process may have only so much of."""

    OPEN_FILES = "RLIMIT_NOFILE"
    FILE_SIZE = "RLIMIT_FSIZE"
    ADDRESS_SPACE = "RLIMIT_AS"


@contextmanager
def limited(leader: int, limit: Limit, room: int) -> Iterator[None]:
    """Have the processes of a session use only `room` more than now, for a block.

    `room` is a number of files or of bytes; of the size of files it is all that each may have.
    Who raises his own limit again may do so: only root with every right could take back another.
    Raise MissingCapability where that cannot be done from outside.
    """
    before = {
        process: _set(process, limit, most, hard)
        for process, (most, hard) in _bounds(leader, limit, room).items()
    }
    try:
        yield
    finally:
        for process, limits in before.items():
            with suppress(ProcessLookupError):
                _set(process, limit, *limits)


def limit_for_good(leader: int, limit: Limit, room: int) -> None:
    """Do the same for good, and so that no process can raise it again."""
    for process, (most, _) in _bounds(leader, limit, room).items():
        _set(process, limit, most, most)


def _bounds(leader: int, limit: Limit, room: int) -> dict[int, tuple[int, int]]:
    """Return for each process how much it may have, and its hard limit."""
    if sys.platform != "linux":
        raise MissingCapability("prlimit", "only Linux limits another process", tool=True)
    import resource

    bounds = {}
    for process in session(leader):
        with suppress(ProcessLookupError, FileNotFoundError):
            used = _USED[limit](Path(f"/proc/{process}"))
            _, hard = resource.prlimit(process, getattr(resource, limit))
            bounds[process] = (used + room, hard)
    return bounds


def _set(process: int, limit: Limit, soft: int, hard: int) -> tuple[int, int]:
    """Set both limits, and return those from before."""
    import resource

    try:
        return resource.prlimit(process, getattr(resource, limit), (soft, hard))
    except PermissionError as error:
        why = f"the limits of process {process} are not ours to change: {error.strerror}"
        raise MissingCapability("prlimit", why, tool=True) from error


_PAGE = os.sysconf("SC_PAGE_SIZE")

_USED: Mapping[Limit, Callable[[Path], int]] = {
    Limit.OPEN_FILES: lambda process: len(os.listdir(process / "fd")),
    Limit.FILE_SIZE: lambda process: 0,
    Limit.ADDRESS_SPACE: lambda process: int((process / "statm").read_text().split()[0]) * _PAGE,
}

QUIET = ("sh", "-c", "trap '' XFSZ; exec \"$@\" 2>/dev/null", "sh")
"""What to start a command with whose files are to be limited in size: no signal ends it, and what
it has to say costs it no file."""
