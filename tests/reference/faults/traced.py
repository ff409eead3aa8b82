"""Calls in a child process under strace: its n-th system call of a kind fails, or is its last."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from fixture_types import CopyBase, Tree

from reedbase_backup import list_backups
from reedbase_backup.archive.reader import ArchiveReader

CHILD = """
import signal, sys
# Whoever starts the tests in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from reedbase_backup import ReedError, create_backup, restore_point_in_time
call, base = sys.argv[1:]
try:
    if call == "create":
        create_backup(base)
    elif call == "restore":
        restore_point_in_time(base, 2**64 - 1)
    else:
        from reedbase_backup.undo import restore_undoably, undo_restore
        undo_restore(base) if call == "undo" else restore_undoably(base, 2**64 - 1)
except ReedError as error:
    sys.exit(f"{error.kind}: {error}")
"""

# What can change a disk. A `?` lets strace pass over names that this machine lacks.
CALLS = (
    "?write,?pwrite64,?ftruncate,?fsync,?syncfs,?link,?linkat,?rename,?renameat,?renameat2,"
    "?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?fchmod,?chmod,?fchmodat,?utimensat"
)
# What only looks, and can fail all the same: by their names on different machines.
LOOKS = {
    "close": "close",
    "stat": "?stat,?newfstatat,?fstat,?statx",
    "open": "?open,?openat",
    "read": "?read,?pread64,?lseek,?getdents64,?fstatfs,?flock",
}
# How a restore's working folder is renamed when its journal counts, and counts no more.
COMMITTED = r'"\.reedbackup-staging-.*"\.reedbackup-commit-'
DONE = r'"\.reedbackup-commit-.*"\.reedbackup-staging-'
EVERY = [
    pytest.param(3, id="sample"),
    pytest.param(1, id="full", marks=pytest.mark.campaign),
]
"""Of a sweep's points, which are visited."""
LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*?)(?:\) += (-?)\d.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What a child did to a base: its end, and its system calls in order."""

    status: int
    stderr: str
    calls: list[tuple[str, str]]
    """Those on the base that succeeded: name and arguments."""
    points: list[tuple[str, int]]
    """Of each of `calls` its name, and how many of that name the process had made by then."""

    def at(self, name: str, *parts: str) -> int:
        """The place in `calls` of the one call `name` in which all the patterns `parts` are."""
        places = [
            place
            for place, (called, arguments) in enumerate(self.calls)
            if called.startswith(name) and all(re.search(part, arguments) for part in parts)
        ]
        assert len(places) == 1, (name, parts, self.calls)
        return places[0]


Restored = tuple[Tree, Tree, Run]
"""The trees before and after a restore, and the run."""


class RunTraced(Protocol):
    def __call__(
        self, call: str, base: Path, inject: str | None = None, calls: str = CALLS
    ) -> Run: ...


class Kill(Protocol):
    def __call__(self, call: str, base: Path, name: str, n: int) -> None: ...


Point = TypeVar("Point")


def each(
    points: Iterable[tuple[Point, int]],
    clone: CopyBase,
    small: Path,
    check: Callable[[Path, Point, int], None],
) -> None:
    """Runs `check(copy of small, *point)` for each point, two at a time."""

    def one(point: tuple[Point, int]) -> None:
        what, n = point
        copy = clone(small, re.sub("[^a-zA-Z0-9-]+", "-", f"{what}-{n}"))
        check(copy, what, n)
        shutil.rmtree(copy)

    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(one, points):
            pass


def assert_sound(base: Path) -> None:
    for info in list_backups(base):
        with (base / "backups" / f"{info.id}.tar.gz").open("rb") as file:
            ArchiveReader(file, info.id).read_through()


def leftovers(base: Path) -> list[str]:
    """What of a working folder is left, and what still has a name in one."""
    shared = [path for path in base.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
    return [str(path) for path in (*base.rglob(".reedbackup*"), *shared)]


def assert_failed_cleanly(run: Run) -> None:
    assert run.status == 1, run
    assert re.match(r"(IoError|PermissionDenied): [^\n]+\n$", run.stderr), run.stderr


IMPORTS = "import sys; from reedbase_backup import create_backup"

# A child of root's that is nobody by the time of the call.
AS_NOBODY = """
import os
import reedbase_backup.adapter.serving, reedbase_backup.create, reedbase_backup.restore
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""
