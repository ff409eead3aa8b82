"""Who waits for a lock of whom, by the system's own list: no guess from how long something takes.

Linux, proc(5), /proc/locks: after a lock come those that wait for it, with the same number and
an arrow. Who tries again and again instead is not in it, nor who has a lock that is of no process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LOCKS = Path("/proc/locks")
_ARROW = "->"


def waits_for(waiting: int, holding: int) -> bool:
    """Return whether a process of the session that `waiting` leads waits for one of `holding`'s."""
    return any(
        _is_in_session(waiter, waiting) and _is_in_session(holder, holding)
        for waiter, holder in _waits()
    )


def _waits() -> Iterator[tuple[int, int]]:
    """Yield who waits, and who holds the lock."""
    holders: dict[str, int] = {}
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return  # not here: then all that is known is how long it takes
    for line in lines:
        number, *words = line.split()
        is_waiting = words[0] == _ARROW
        process = int(words[3 + is_waiting])
        if not is_waiting:
            holders[number] = process
        elif number in holders:
            yield process, holders[number]


def _is_in_session(process: int, leader: int) -> bool:
    with suppress(ProcessLookupError):
        return process > 0 and os.getsid(process) == os.getsid(leader)
    return False
