"""How long this run waited for a processor that others had: that is no implementation's fault."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_NS_PER_TICK = 10**9 // os.sysconf("SC_CLK_TCK")
_NOT_TOLD = (FileNotFoundError, PermissionError, ProcessLookupError)
# Fields of /proc/stat that are not idle time: of programs, the system, interrupts, other guests.
_BUSY = (1, 2, 3, 6, 7, 8)
# Fields of /proc/PID/stat after the name: a process's own time, and its children's that ended.
_TAKEN = slice(11, 15)
_DELAY = 1
"""The field of /proc/PID/task/TID/schedstat with the nanoseconds of waiting to be run."""


_beside: set[int] = set()
"""Processes below this one that do other work of the run."""


def begins_beside(pid: int) -> None:
    """Count a process below this one, with those below it, among others, until `ends_beside`.

    One that builds a database for later, of the lowest priority, waits for all others: that is
    not what a call waits for that is timed meanwhile.
    """
    _beside.add(pid)


def ends_beside(pid: int) -> None:
    """Undo `begins_beside`: the process is gone, and its id may be another's."""
    _beside.discard(pid)


class Processors(NamedTuple):
    """What was taken of the processors and waited for, in nanoseconds, up to a moment (proc(5))."""

    all_taken: int
    own_taken: int
    """By this process and those below it, as `_tree` has them."""
    own_waited: int
    """By their threads that there are: those of others that ended are not told."""

    @classmethod
    def so_far(cls) -> Processors:
        """Return what it is now; zeros where the system does not tell, as any but Linux."""
        try:
            fields = (_PROC / "stat").read_text().split("\n", 1)[0].split()
            pids = list(_tree(os.getpid()))
        except _NOT_TOLD:
            return cls(0, 0, 0)
        ticks = sum(int(fields[field]) for field in _BUSY)
        own = [_usage(pid) for pid in pids]
        taken, waited = (sum(column) for column in zip(*own, strict=True))
        return cls(ticks * _NS_PER_TICK, taken, waited)

    def waited_since(self) -> int:
        """Return how long this run has waited since then for what others had, at the most.

        Threads that wait for others of their own wait for nobody's fault but the
        implementation's, so it is no more than others have taken.
        """
        now = Processors.so_far()
        others = now.all_taken - self.all_taken - (now.own_taken - self.own_taken)
        return max(0, min(now.own_waited - self.own_waited, others))


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and those below it, but for what does other work of the run."""
    pending = [pid]
    while pending:
        pid = pending.pop()
        yield pid
        for children in (_PROC / f"{pid}/task").glob("*/children"):
            try:
                pending += {int(child) for child in children.read_text().split()} - _beside
            except _NOT_TOLD:
                continue  # the thread has ended


def _usage(pid: int) -> tuple[int, int]:
    """Return the nanoseconds that a process has taken and its threads have waited."""
    try:
        after_name = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        tasks = [path.read_text().split() for path in (_PROC / f"{pid}/task").glob("*/schedstat")]
    except _NOT_TOLD:
        return 0, 0  # it has ended
    taken = sum(map(int, after_name[_TAKEN])) * _NS_PER_TICK
    return taken, sum(int(task[_DELAY]) for task in tasks)
