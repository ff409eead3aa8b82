"""The locks of all tables of a base, held at once.

A restore holds them from before the live trees are touched until they are in
place, however many there are: beyond the open files that this process may have,
child processes hold the rest.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from reedbase_backup.disk.folders import close, opened
from reedbase_backup.disk.lock_holder import held_by_children
from reedbase_backup.disk.table_lock import enter_table

_SPARE_DESCRIPTORS = 64
"""How many open files a restore needs beside the tables' locks, at most."""


@contextmanager
def tables_locked(base: int) -> Iterator[None]:
    """Hold the `.lock` of every table of the open base, so that no writer is midway.

    Raise LockTimeout, IoError where there are too many to hold, or OSError.
    """
    with ExitStack() as held:
        try:
            tables = held.enter_context(opened(base, "tables"))
            names = sorted(os.listdir(tables))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            # None, a file or symlink, or closed to us: no writer is in there.
            names = []
        room = _room_for_descriptors(tables, len(names)) if names else 0
        for name in names[:room]:
            enter_table(held, tables, name)
        if names[room:]:
            held.enter_context(held_by_children(tables, names[room:], _room_in_a_child()))
        yield


def _room_for_descriptors(descriptor: int, wanted: int) -> int:
    """Return how many of the `wanted` locks this process can hold; raise its soft limit for it."""
    # The lowest that is free: below it, all are taken.
    lowest_free = os.dup(descriptor)
    close(lowest_free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and lowest_free + wanted + _SPARE_DESCRIPTORS > soft != hard:
        with suppress(OSError, ValueError):
            # macOS refuses the infinite limit that it names.
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(0, min(wanted, soft - min(_SPARE_DESCRIPTORS, soft // 2) - lowest_free))


def _room_in_a_child() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft // 2)
