"""Work in threads beside this one: isal lets go of the GIL, so other cores do it meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

# Beyond what this thread can read and hash meanwhile, more would only wait.
_MOST_THREADS = 4

_T = TypeVar("_T")


class Job(Generic[_T]):
    """Something that a thread does, or has done."""

    __slots__ = ("_do", "_outcome")

    def __init__(self, do: Callable[[], _T]) -> None:
        self._do = do
        self._outcome: SimpleQueue[_T | _Raised] = SimpleQueue()

    def do(self) -> None:
        """Do it."""
        try:
            self._outcome.put(self._do())
        except Exception as error:  # noqa: BLE001 - not handled, but raised in the other thread
            self._outcome.put(_Raised(error))

    def result(self) -> _T:
        """Wait for what comes of it, and return or raise that."""
        outcome = self._outcome.get()
        if not isinstance(outcome, _Raised):
            return outcome
        try:
            raise outcome.error
        finally:
            # Else this frame and the error, whose traceback has it, would keep each other.
            del outcome


class _Raised:
    def __init__(self, error: Exception) -> None:
        self.error = error


class Threads:
    """Does jobs in threads, which are started once there are jobs for them.

    `close` ends them; so does it where nobody has this object any more.
    """

    def __init__(self, most: int = _MOST_THREADS) -> None:
        """Have no more than `most`; with one processor, none."""
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._most = most

    def __len__(self) -> int:
        return len(self._threads)

    def take(self, do: Callable[[], _T], under_way: int = 0) -> Job[_T] | None:
        """Return the job that a thread does, one of its own while `under_way` keep the others.

        None where there is no thread, and none can be.
        """
        if under_way >= len(self._threads) < min(self._most, useful_processors()):
            self._start_one()
        if not self._threads:
            return None
        job = Job(do)
        self._jobs.put(job.do)
        return job

    def close(self) -> None:
        """End the threads, which may be in the middle of a job, and wait for them."""
        self._end()
        for thread in self._threads:
            # Interrupted while it was started, it may not be there yet, and ends as it comes.
            if thread.is_alive():
                thread.join()
        self._threads.clear()

    def _start_one(self) -> None:
        thread = Thread(target=_do_all, args=(self._jobs,), name="reedbackup-beside", daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError:
            # This user has as many threads as the system allows.
            self._threads.pop()
            self._most = len(self._threads)

    def _end(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    __del__ = _end


def useful_processors() -> int:
    """Return how many processors other threads may be of use on: with one, none."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return 0 if count == 1 else count or 1


def _do_all(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    while (do := jobs.get()) is not None:
        do()
        del do  # with what it made, while there is nothing else to do
