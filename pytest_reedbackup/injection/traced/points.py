"""The points of a call at which something may go wrong: every system call about its database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from pytest_reedbackup.injection.traced.strace import NOT_REACHED, OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    LINKING,
    LOOKING,
    MAKING_FOLDERS,
    READING,
    REMOVING,
    WRITING,
    SystemCall,
)
from pytest_reedbackup.model.failures import MissingCapability

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

FALLIBLE = (*CHANGING, *READING, *LOOKING)
"""All system calls that are made to fail.

Not among them are close, whose error says nothing of what was asked for and which nobody can
do again; mmap and brk, which are about memory; lseek and fcntl, whose errors are their caller's.
"""

_PARTS = ("tables", "indices", "backups")

_OPENED_TO_CHANGE = frozenset({"O_CREAT", "O_TRUNC", "O_TMPFILE"})


@dataclass(frozen=True, slots=True)
class Point:
    """The entry of one system call: `number` counts those of its name in one thread from 1."""

    call: str
    number: int
    path: str
    """What it is about, to be shown."""
    after: str = field(default="", compare=False)
    """The name of the call that changed something last before it."""
    thread: int = 0
    """Above 0 where another thread, or process, comes to its call of this number first.

    strace, which counts for each thread alone, would stop that one: it cannot be reached.
    """

    @property
    def id(self) -> str:
        """Return what it is called on a command line, as in `fsync#3`."""
        of_thread = f"@{self.thread + 1}" if self.thread else ""
        return f"{self.call}#{self.number}{of_thread}"

    @property
    def part(self) -> str:
        """Return what part of a database it is about; "" for what each implementation names.

        What is prepared elsewhere for one, as in `.reed/new/tables/text`, is another: `+tables`.
        """
        names = self.path.split("/")[1:]
        place = next((place for place, name in enumerate(names) if name in _PARTS), None)
        return "" if place is None else f"{'+' if place else ''}{names[place]}"


def changes(call: SystemCall) -> bool:
    """Return whether a call changed something: it succeeded, and did not open only to read."""
    if call.name in READING or call.name in LOOKING:
        return False
    is_look = call.name in OPENS and not call.flags & _OPENED_TO_CHANGE
    return call.result >= 0 and not is_look


def changing_points(calls: Iterable[SystemCall], inside: str) -> list[Point]:
    """Return the points of a traced call that change what is below the folder `inside`.

    Those that cannot be reached are among them, to be counted.
    """
    return list(_points(calls, inside, changes))


def all_points(calls: Iterable[SystemCall], inside: str) -> list[Point]:
    """Return the points of a traced call that are about what is below the folder `inside`."""
    return points_where(calls, inside, lambda call: True)


def require_seen(points: list[Point]) -> list[Point]:
    """Return the points of a call. Raise MissingCapability where there are none."""
    if not points:
        raise MissingCapability("strace", NOT_REACHED, tool=True)
    return points


def inside_of(call: SystemCall, folder: str) -> list[str]:
    """Return those of a call's paths that are `folder`, or below it."""
    return [path for path in call.paths if path == folder or path.startswith(f"{folder}/")]


def points_where(
    calls: Iterable[SystemCall], inside: str, is_point: Callable[[SystemCall], bool]
) -> list[Point]:
    """Return the points of a traced call about what is below `inside` that are such.

    Of those with one number in several threads only the first: what fails there fails in all.
    """
    points: dict[tuple[str, int], Point] = {}
    for point in _points(calls, inside, is_point):
        points.setdefault((point.call, point.number), replace(point, thread=0))
    return list(points.values())


def _points(
    calls: Iterable[SystemCall], inside: str, is_point: Callable[[SystemCall], bool]
) -> Iterator[Point]:
    numbers: Counter[tuple[int, str]] = Counter()
    came: Counter[tuple[str, int]] = Counter()
    after = ""
    for call in calls:
        numbers[call.pid, call.name] += 1
        number = numbers[call.pid, call.name]
        paths = inside_of(call, inside)
        if paths and is_point(call):
            path = paths[-1].removeprefix(inside).lstrip("/")
            yield Point(call.name, number, path, after, came[call.name, number])
        came[call.name, number] += 1
        if paths and changes(call):
            after = call.name
