"""Work that a forked process shares: what needs the GIL, another core can do in no thread.

It is a help and no more. It is forked where that is sure to be harmless; it reads, writes to
nothing but a pipe, and ends as soon as nobody listens. Whatever becomes of it, what it has not
done is done here.
"""

from __future__ import annotations

import gc
import marshal
import os
import select
import signal
import struct
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import repeat
from typing import Any, NoReturn, TypeVar

from reedbase_backup.archive.beside import useful_processors
from reedbase_backup.disk.durable import write_all

SWITCH = "REEDBACKUP_FORK"
"""The environment variable that, as 0, has nothing forked."""

# What a fork copies is the page tables: of this much memory, in a millisecond.
_MOST_RESIDENT = 1 << 27
# So long without a word, it may have been stopped; its turns are done here then.
_PATIENCE_MS = 10_000
# Results that are kept in memory until the one before them is there.
_MOST_AHEAD = 4

_TURN = struct.Struct("<I")
MOST_TURNS = select.PIPE_BUF // _TURN.size
"""So many numbers any pipe has room for (pipe(7))."""

_HEAD = struct.Struct("<IQ")
# In /proc/self/stat, after the program's name in brackets (proc_pid_stat(5)).
_THREADS, _RESIDENT_PAGES = 17, 21

_T = TypeVar("_T")


def shared(do: Callable[[int], _T], count: int) -> Generator[_T | None, None, None]:
    """Yield `do(0)`, `do(1)` and so on, `count` of at most MOST_TURNS, some from another process.

    None where it is not done yet and is for the caller to do: all, where no process was forked.
    What `do` returns is made of values that `marshal` knows. Raise what it raises here.
    """
    with closing(_Helper()) as helper:
        if count > 1 and _is_harmless() and helper.fork(do, count):
            yield from helper.results(do, count)
        else:
            yield from repeat(None, count)


class _Helper:
    """A process that takes turns with this one, from `fork` until `close`."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._turns = self._results = -1
        self._ready = select.poll()
        self._process: int | None = None
        self._is_there = True

    def fork(self, do: Callable[[int], object], count: int) -> bool:
        """Have it do what it can of `count` turns, and return whether it is there."""
        try:
            self._turns, to_turns = self._pipe()
            self._results, to_results = self._pipe()
        except OSError:
            # This process has as many files open as it may.
            return False
        os.write(to_turns, b"".join(map(_TURN.pack, range(count))))
        self._close(to_turns)
        self._ready.register(self._results, select.POLLIN)
        # Signals are for this process alone; until it knows of the other, for neither.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            process = os.fork()
            if process == 0:
                _serve(do, self._turns, (self._results, to_results))
            self._process = process
        except (OSError, RuntimeError):
            # This user has as many processes as there may be, or this interpreter is a guest.
            return False
        finally:
            self._close(to_results)
            # This may raise what the handler of a signal does that came meanwhile.
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return True

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def _close(self, end: int) -> None:
        self._open.remove(end)
        os.close(end)

    def results(self, do: Callable[[int], _T], count: int) -> Iterator[_T | None]:
        """Yield what `shared` yields."""
        done: dict[int, _T | None] = {}
        for number in range(count):
            while number not in done and self._is_there:
                turn = _taken(self._turns) if len(done) < _MOST_AHEAD else None
                if turn is not None:
                    done[turn] = do(turn)
                self._receive(done, wait=turn is None)
            yield done.pop(number, None)

    def _receive(self, done: dict[int, _T | None], *, wait: bool) -> None:
        """Add the other's results that are there by now, or `wait` for one."""
        while self._is_there and (wait or self._ready.poll(0)):
            wait = False
            head = self._read(_HEAD.size)
            turn, size = _HEAD.unpack(head) if head else (0, 0)
            result = self._read(size)
            if result:
                done[turn] = marshal.loads(result)
            else:
                self._is_there = False

    def _read(self, size: int) -> bytes:
        """Return exactly `size` bytes; none where the other has ended, or says nothing."""
        parts = []
        while size:
            part = os.read(self._results, size) if self._ready.poll(_PATIENCE_MS) else b""
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """End the process, wherever it is."""
        for end in self._open:
            os.close(end)
        if self._process is None:
            return
        try:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        except (ProcessLookupError, ChildProcessError):
            # A handler of another signal has waited for it.
            pass


def _is_harmless() -> bool:
    """Return whether this process may be forked, and it is worth it.

    A second thread may hold a lock that nobody in the copy would ever let go of; who has a
    handler for it may wonder about a child that is not his; and large memory takes long to copy.
    """
    if (
        sys.platform != "linux"
        or os.environ.get(SWITCH) == "0"
        or useful_processors() < 2
        or signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL
    ):
        return False
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return False
    resident = int(fields[_RESIDENT_PAGES]) * os.sysconf("SC_PAGE_SIZE")
    return int(fields[_THREADS]) == 1 and resident <= _MOST_RESIDENT


def _serve(do: Callable[[int], object], turns: int, results: tuple[int, int]) -> NoReturn:
    """Do turns until there are none, or nobody asks for what comes of them any more."""
    try:
        os.close(results[0])
        # Nothing that was the other's is to be finalized a second time here.
        gc.disable()
        while (turn := _taken(turns)) is not None:
            result: Any = do(turn)
            said = marshal.dumps(result)
            write_all(results[1], _HEAD.pack(turn, len(said)) + said)
    finally:
        # An error is met here again, for it is not done; nothing more is to be said of it.
        os._exit(0)


def _taken(turns: int) -> int | None:
    """Return the number of a turn that is nobody else's."""
    turn = os.read(turns, _TURN.size)
    return _TURN.unpack(turn)[0] if turn else None
