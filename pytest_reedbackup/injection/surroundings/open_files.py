"""Fewer open files than an implementation may be used to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_reedbackup.model.failures import MissingCapability

_ROOM = 40
"""How many files it may open beside those that it has open before the call."""


def allow_few_open_files(pid: int) -> int:
    """Have a process, and those that it started, open no more than a few files from now on.

    Gives the number. Raise MissingCapability where that cannot be done from outside.
    """
    if sys.platform != "linux":
        raise MissingCapability("prlimit", "only Linux limits another process", tool=True)
    import resource

    processes = list(_with_descendants(pid))
    most = max(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in processes) + _ROOM
    for one in processes:
        try:
            resource.prlimit(one, resource.RLIMIT_NOFILE, (most, most))
        except PermissionError as error:
            why = f"the limits of process {one} are not ours to change: {error.strerror}"
            raise MissingCapability("prlimit", why, tool=True) from error
    return most


def _with_descendants(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _with_descendants(int(child))
