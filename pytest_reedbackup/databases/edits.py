"""Writing to a database as ReedBase does: new tables, new versions, dropped tables.

The format is contract `last`, "On disk". For tests: nothing is fsynced, and
the caller says what time it is.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pytest_reedbackup.databases.clone import remove_tree
from reedbase_backup.last.versions import delta

INIT: Final = 5
UPDATE: Final = 2


def create_table(base: Path, name: str, content: bytes, at_ns: int, user: int = 1) -> Path:
    """Make table `name` with `content` as its first version, stored raw, and return its folder.

    Raise FileExistsError when there is a table of that name.
    """
    table = base / "tables" / name
    table.mkdir(parents=True)
    with locked(table):
        _append_version(table, content, content, at_ns, INIT, user)
    return table


def write_version(table: Path, content: bytes, at_ns: int, user: int = 1) -> None:
    """Make `content` the newest version of the table in folder `table`.

    `at_ns` (Unix nanoseconds) must be later than the table's newest version:
    the real writer's timestamps strictly increase. Raise ValueError otherwise,
    and FileNotFoundError when the table has no current.csv.
    """
    with locked(table):
        newest = newest_version(table)
        if newest is not None and at_ns <= newest:
            raise ValueError(f"at_ns: {at_ns} is not later than the newest version, {newest}")
        old = (table / "current.csv").read_bytes()
        _append_version(table, content, delta.diff(old, content), at_ns, UPDATE, user)


def drop_table(base: Path, name: str) -> None:
    """Remove table `name` with its history; indices/ stays as it is.

    Raise FileNotFoundError when there is no such table.
    """
    table = base / "tables" / name
    if not table.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(table))
    remove_tree(table)


def newest_version(table: Path) -> int | None:
    """Return the timestamp (Unix nanoseconds) of the last line of the table's log, if any."""
    try:
        lines = (table / "version.log").read_bytes().split()
    except FileNotFoundError:
        return None
    return int(lines[-1].split(b"|")[0]) if lines else None


def log_line(at_ns: int, action: int, user: int, size: int) -> bytes:
    """Return one line of version.log; `size` is the length of the version's .bsdiff file."""
    return b"%d|%d|%d|%d\n" % (at_ns, action, user, size)


@contextmanager
def locked(table: Path, *, waits: bool = True) -> Iterator[None]:
    """Hold the table's `.lock`, as its writers do.

    Raise BlockingIOError where another has it and this one is not to wait.
    """
    with (table / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        try:
            yield
        finally:
            # A process that was forked meanwhile has it open, too.
            fcntl.flock(lock, fcntl.LOCK_UN)


def _append_version(
    table: Path, content: bytes, stored: bytes, at_ns: int, action: int, user: int
) -> None:
    """Write a version in the real writer's order: delta, current.csv in place, log line."""
    (table / f"{at_ns}.bsdiff").write_bytes(stored)
    (table / "current.csv").write_bytes(content)
    with (table / "version.log").open("ab") as log:
        log.write(log_line(at_ns, action, user, len(stored)))
