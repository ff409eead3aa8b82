"""The process beside this one: forked before any test runs, it runs those that are left to it."""

from __future__ import annotations

import os
import pdb
import select
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import get_ident
from types import FrameType
from typing import IO, NoReturn

from pytest_reedbackup.checks.waiting import begins_beside, ends_beside
from pytest_reedbackup.session.beside.endings import FunctionEnding, Section

_GRACE_SECS = 30.0
"""For it to unmount and to end what it started, on a machine where ten others want its turn."""

_PAUSE_SECS = 0.01

_WAITING = ("pytest_rerunfailures", "execnet.gateway_base")
"""Modules whose threads wait from start to end: for workers, where pytest-xdist is installed,
and in a worker for what the other side sends."""


def is_possible() -> bool:
    """Return whether this process can be forked, and gains by it: no thread of it may be lost."""
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return False
    others = (frame for ident, frame in sys._current_frames().items() if ident != get_ident())
    return len(threads) == 1 + sum(map(_waits, others)) and len(os.sched_getaffinity(0)) > 1


def _waits(frame: FrameType | None) -> bool:
    """Return whether a thread, of which this is the frame, is of `_WAITING`: of no use to a fork.

    One that waits holds no lock that a fork could miss.
    """
    while frame is not None and frame.f_globals.get("__name__") not in _WAITING:
        frame = frame.f_back
    return frame is not None


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
            self._pid = _forked()
            if self._pid == 0:
                os.close(self._starts)
                os.close(self._news)
                _do(works, starts, lines, news)
        begins_beside(self._pid)
        os.close(starts)
        os.close(news)
        self._endings: dict[str, FunctionEnding | None] = {}
        """What became of a test; None once that was asked for."""

    def go(self) -> None:
        """Have it do the next of its works."""
        with suppress(BrokenPipeError):
            os.write(self._starts, b"\n")

    def ending_of(self, node_id: str) -> FunctionEnding | None:
        """Wait for what became of a test; return None where that is not known.

        It is not where the process ends without having run it, nor if asked for once more.
        """
        while node_id not in self._endings:
            if not os.read(self._news, 1):
                return None
            ending = FunctionEnding.read(self._lines.readline())
            self._endings[ending.node_id] = ending if ending.is_known else None
        known, self._endings[node_id] = self._endings[node_id], None
        return known

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
                    ends_beside(self._pid)
                    return
                time.sleep(_PAUSE_SECS)


def _forked() -> int:
    with warnings.catch_warnings():
        # Python 3.12 and later warn wherever there is another thread, be it an idle one.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


class Report:
    """Where the other process says what became of a test."""

    def __init__(self, lines: IO[bytes], news: int) -> None:
        self._lines = lines
        self._news = news
        self._printed = _keep_what_is_printed()

    def printed(self) -> list[Section]:
        """Return what was printed since this was asked for last."""
        sys.stdout.flush()
        sys.stderr.flush()
        sections = []
        for name, file in self._printed.items():
            file.seek(0)
            sections.append((name, file.read().decode(errors="replace")))
            file.seek(0)
            file.truncate()
        return [(name, text) for name, text in sections if text]

    def __call__(self, ending: FunctionEnding) -> None:
        """Send it."""
        self._lines.write(ending.line())
        self._lines.flush()
        os.write(self._news, b"\n")


def _do(
    works: Sequence[Callable[[Report], None]], starts: int, lines: IO[bytes], news: int
) -> NoReturn:
    """Do them one after the other, each when it is asked for; nothing comes back from here."""
    status = 1
    signal.signal(signal.SIGINT, _interrupt_once)
    sys.breakpointhook = pdb.set_trace = _leave
    try:
        report = Report(lines, news)
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


def _leave(*arguments: object, **named: object) -> NoReturn:
    """End, so that the test runs in the process at whose terminal a debugger is of use."""
    raise KeyboardInterrupt


def _keep_what_is_printed() -> dict[str, IO[bytes]]:
    """Have files of this process's own get it: pytest's are the other process's, too."""
    printed: dict[str, IO[bytes]] = {}
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        printed[name] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - until this process ends
        os.dup2(printed[name].fileno(), descriptor)
        setattr(sys, name, os.fdopen(descriptor, "w", errors="backslashreplace", closefd=False))
    return printed
