"""Locks that somebody else holds while an implementation is called."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Hold = Literal["a-moment", "throughout"]

A_MOMENT_SECS = 0.15
"""Long enough that the first try fails, and short beside the 4.6 s after which all have."""

_NONE: Mapping[Path, Hold] = MappingProxyType({})
_now: ContextVar[Mapping[Path, Hold]] = ContextVar("reedbackup_held_locks", default=_NONE)


def held_now() -> Mapping[Path, Hold]:
    """Return the locks that are held during the call that is made."""
    return _now.get()


@contextmanager
def held(locks: Mapping[Path, Hold]) -> Iterator[None]:
    """Hold the exclusive flock of these files, as a writer in another process does.

    Whose own descriptor it is does not matter to flock: it belongs to the open
    file, and the implementation opens the file anew even in this process. What
    is no file that can be opened is not held.
    """
    descriptors: dict[int, Hold] = {}
    token = _now.set(locks)
    try:
        for path, hold in locks.items():
            if path.is_file():
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                descriptors[descriptor] = hold
                # Two names may lead to one file, which is held already then.
                with suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with _let_go_soon([each for each, hold in descriptors.items() if hold == "a-moment"]):
            yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        _now.reset(token)


@contextmanager
def _let_go_soon(descriptors: list[int]) -> Iterator[None]:
    def let_go() -> None:
        for descriptor in descriptors:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    if not descriptors:
        yield
        return
    timer = threading.Timer(A_MOMENT_SECS, let_go)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
