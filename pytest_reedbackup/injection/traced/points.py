"""The points of a call at which something may go wrong: every system call that changes the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    LINKING,
    MAKING_FOLDERS,
    REMOVING,
    WRITING,
    SystemCall,
)

SYNCING = ("fsync", "fdatasync", "syncfs", "sync_file_range", "msync")
SIZING = ("truncate", "ftruncate", "fallocate")
ATTRIBUTES = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "fchownat", "lchown"),
    *("utimensat", "utime", "utimes", "futimesat", "setxattr", "fsetxattr", "lsetxattr"),
)
CHANGING = (
    *OPENS,
    *MAKING_FOLDERS,
    *RENAMES,
    *LINKING,
    *REMOVING,
    *WRITING,
    *SIZING,
    *ATTRIBUTES,
    *SYNCING,
    "ioctl",
)
"""All system calls that change a disk or wait for it, and some that only might."""

_OPENED_TO_CHANGE = frozenset({"O_CREAT", "O_TRUNC", "O_TMPFILE"})


@dataclass(frozen=True, slots=True)
class Point:
    """The entry of one system call: `number` counts those of its name in one thread from 1."""

    call: str
    number: int
    path: str
    """What it is about, to be shown."""

    @property
    def id(self) -> str:
        """Return what it is called on a command line, as in `fsync#3`."""
        return f"{self.call}#{self.number}"


def changes(call: SystemCall) -> bool:
    """Return whether a call changed something: it succeeded, and did not open only to read."""
    is_look = call.name in OPENS and call.name != "creat" and not call.flags & _OPENED_TO_CHANGE
    return call.result >= 0 and not is_look


def points_of(calls: Iterable[SystemCall], inside: str) -> list[Point]:
    """Return the points of a traced call that change what is below the folder `inside`."""
    return list({point.id: point for point in _points(calls, inside)}.values())


def _points(calls: Iterable[SystemCall], inside: str) -> Iterator[Point]:
    numbers: Counter[tuple[int, str]] = Counter()
    for call in calls:
        numbers[call.pid, call.name] += 1
        if not changes(call):
            continue
        paths = [path for path in call.paths if path == inside or path.startswith(f"{inside}/")]
        if paths:
            path = paths[-1].removeprefix(inside).lstrip("/")
            yield Point(call.name, numbers[call.pid, call.name], path)
