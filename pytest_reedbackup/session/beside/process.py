"""The process beside this one: forked before any test runs, it runs those that are left to it."""

from __future__ import annotations

import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import IO, NoReturn

from pytest_reedbackup.session.beside.endings import FunctionEnding

_GRACE_SECS = 10.0
"""For it to unmount and to end what it started."""

_PAUSE_SECS = 0.01


def is_possible() -> bool:
    """Return whether this process can be forked, and gains by it: no thread of it may be lost."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return False
    return len(threads) == 1 and len(os.sched_getaffinity(0)) > 1


class OtherProcess:
    """The other process, as this one sees it."""

    def __init__(self, works: Sequence[Callable[[Report], None]]) -> None:
        """Fork; there each of `works` is done when `go` was called once more."""
        starts, self._starts = os.pipe()
        self._news, news = os.pipe()
        # A pipe holds 64 KiB; whoever reports more would wait until this process asks for it.
        with tempfile.NamedTemporaryFile() as lines:
            self._lines = os.fdopen(os.open(lines.name, os.O_RDONLY), "rb")
            sys.stdout.flush()
            sys.stderr.flush()
            self._pid = os.fork()
            if self._pid == 0:
                os.close(self._starts)
                os.close(self._news)
                _do(works, starts, Report(lines, news))
        os.close(starts)
        os.close(news)
        self._known: dict[str, FunctionEnding] = {}

    def go(self) -> None:
        """Have it do the next of its works."""
        with suppress(BrokenPipeError):
            os.write(self._starts, b"\n")

    def ending_of(self, node_id: str) -> FunctionEnding | None:
        """Wait for what became of a test; return None where it ends without having run it."""
        while node_id not in self._known:
            if not os.read(self._news, 1):
                return None
            ending = FunctionEnding.read(self._lines.readline())
            self._known[ending.node_id] = ending
        return self._known.pop(node_id)

    def close(self) -> None:
        """End it, whatever it does."""
        os.close(self._starts)
        os.close(self._news)
        self._lines.close()
        deadline = time.monotonic() + _GRACE_SECS
        for wanted in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(self._pid, wanted)
            while time.monotonic() < deadline or wanted is signal.SIGKILL:
                if os.waitpid(self._pid, os.WNOHANG)[0]:
                    return
                time.sleep(_PAUSE_SECS)


class Report:
    """Where the other process says what became of a test."""

    def __init__(self, lines: IO[bytes], news: int) -> None:
        self._lines = lines
        self._news = news

    def __call__(self, ending: FunctionEnding) -> None:
        """Send it."""
        self._lines.write(ending.line())
        self._lines.flush()
        os.write(self._news, b"\n")


def _do(works: Sequence[Callable[[Report], None]], starts: int, report: Report) -> NoReturn:
    """Do them one after the other, each when it is asked for; nothing comes back from here."""
    status = 1
    signal.signal(signal.SIGINT, _interrupt_once)
    try:
        _fall_silent()
        for work in works:
            select.select([starts], [], [])
            if not os.read(starts, 1):
                break
            work(report)
        status = 0
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # nobody waits for it any more
    finally:
        os._exit(status)


def _interrupt_once(number: int, frame: FrameType | None) -> None:
    """Interrupt what is done, but not what this ends with: Ctrl-C comes from two sides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _fall_silent() -> None:
    """Write nowhere: what pytest captures of this process shares its files with the other one's."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdout = sys.stderr = os.fdopen(nowhere, "w")
