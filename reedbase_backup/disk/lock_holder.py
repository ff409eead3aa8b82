"""Holding tables' locks in child processes, where there are more than open files allowed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reedbase_backup.disk import table_lock
from reedbase_backup.errors import IoError, LockTimeout, ReedError

_PACKAGES = str(Path(__file__).resolve().parents[2])
_CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from reedbase_backup.disk.lock_holder import hold
hold(int(sys.argv[2]), sys.argv[3:])
"""
_HELD, _LATE, _FAILED = "held", "late", "failed"


@contextmanager
def held_by_children(tables: int, names: Sequence[str], at_once: int) -> Iterator[None]:
    """Hold the locks of the tables `names` in the open folder `tables`, `at_once` a child.

    A child lets go when this process does, or ends. Raise LockTimeout, or IoError
    where no child can be started.
    """
    with ExitStack() as children:
        for first in range(0, len(names), at_once):
            children.enter_context(_child(tables, names[first : first + at_once]))
        yield


@contextmanager
def _child(tables: int, names: Sequence[str]) -> Iterator[None]:
    try:
        # A session of its own: the terminal's Ctrl-C is the parent's, to end both in order.
        child = subprocess.Popen(
            [sys.executable, "-c", _CODE, _PACKAGES, str(tables), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[tables],
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise IoError(
            "lock_tables",
            f"too many open files, and no process to hold more could be started ({error});"
            " raise the limit (ulimit -n)",
        ) from error
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            answer, _, about = os.fsdecode(child.stdout.readline()).strip().partition(" ")
            if answer == _LATE:
                raise LockTimeout(f"tables/{names[int(about)]}", table_lock.TABLE_TIMEOUT_SECS)
            if answer != _HELD:
                raise IoError("lock_tables", about or "the process that holds locks has ended")
            yield
        finally:
            child.stdin.close()


def hold(tables: int, names: Sequence[str]) -> None:
    """Lock the tables, say so, and hold on until standard input ends; for a child process."""
    with ExitStack() as held:
        for number, name in enumerate(names):
            try:
                table_lock.enter_table(held, tables, name)
            except LockTimeout:
                print(_LATE, number, flush=True)
                return
            except (OSError, ReedError) as error:
                print(_FAILED, str(error).replace("\n", " "), flush=True)
                return
        print(_HELD, flush=True)
        sys.stdin.read()
