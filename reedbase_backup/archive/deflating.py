"""Deflate in threads beside this one: isal lets go of the GIL, so other cores work meanwhile."""

from __future__ import annotations

import os
import zlib
from collections import deque
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from isal import isal_zlib

from reedbase_backup.archive.gzip_header import RAW_DEFLATE

# isal's levels are 0 to 3. Of ReedBase tables, 2 leaves 27.8 % at 570 MB/s a core, 3
# leaves 27.4 % at 340 MB/s, 1 leaves 28.8 % at 590 MB/s.
_LEVEL = 2
# Handing a piece to another thread costs 20 to 100 us, compressing this much 300.
_WORTH_A_THREAD = 1 << 17
# Beyond what this thread can read and hash meanwhile, more would only wait.
_MOST_THREADS = 4


class Span(NamedTuple):
    """Some bytes that follow each other: how many, and their CRC-32."""

    size: int = 0
    crc: int = 0

    @classmethod
    def of(cls, data: bytes) -> Span:
        """Return what `data` is."""
        return cls(len(data), isal_zlib.crc32(data))

    def joined(self, after: Span) -> Span:
        """Return what these bytes are with others `after` them."""
        return Span(
            self.size + after.size, isal_zlib.crc32_combine(self.crc, after.crc, after.size)
        )


NOTHING = Span()


class Segment(NamedTuple):
    """A piece compressed: deflate blocks that need nothing before them, nor end a stream."""

    packed: bytes
    packed_span: Span
    span: Span
    """Of the piece itself."""


def deflated(piece: bytes) -> Segment:
    """Return `piece` compressed.

    A full flush ends it, so that any segments may follow each other in one stream.
    """
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, RAW_DEFLATE)
    packed = deflate.compress(piece) + deflate.flush(isal_zlib.Z_FULL_FLUSH)
    return Segment(packed, Span.of(packed), Span.of(piece))


def stored(piece: bytes) -> Segment:
    """Return `piece` in a segment that is not compressed: its size depends on nothing else."""
    deflate = zlib.compressobj(0, zlib.DEFLATED, RAW_DEFLATE)
    packed = deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)
    return Segment(packed, Span.of(packed), Span.of(piece))


class _Job:
    """A piece that a thread compresses, or has compressed."""

    __slots__ = ("_outcome", "_piece")

    def __init__(self, piece: bytes) -> None:
        self._piece = piece
        self._outcome: SimpleQueue[Segment | Exception] = SimpleQueue()

    def do(self) -> None:
        """Compress it."""
        try:
            self._outcome.put(deflated(self._piece))
        except Exception as error:  # noqa: BLE001 - not handled, but raised in the other thread
            self._outcome.put(error)

    def segment(self) -> Segment:
        """Wait for what comes of it."""
        outcome = self._outcome.get()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Deflating:
    """Compresses one piece after another, and gives them back in their order.

    There are threads from the first large piece until `close`; small ones are not
    worth it.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._under_way: deque[_Job | Segment] = deque()
        self._jobs_under_way = 0
        self._threads: list[Thread] = []
        self._most_threads = _useful_threads()

    def add(self, piece: bytes) -> list[Segment]:
        """Have `piece` compressed, and return what came of earlier ones so far."""
        if len(piece) >= _WORTH_A_THREAD and self._has_thread():
            job = _Job(piece)
            self._jobs.put(job)
            self._under_way.append(job)
            self._jobs_under_way += 1
        else:
            self._under_way.append(deflated(piece))
        return self._ready()

    def pass_on(self, segment: Segment) -> list[Segment]:
        """Have a segment that is there already follow; return as `add`."""
        self._under_way.append(segment)
        return self._ready()

    def _ready(self) -> list[Segment]:
        # One for each thread, and one that waits: more would cost memory and gain no time.
        return self._taken(len(self._threads) + 1)

    def rest(self) -> list[Segment]:
        """Wait for all pieces, and return what came of them."""
        return self._taken(0)

    def close(self) -> None:
        """End the threads, which may be in the middle of a piece."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            # Interrupted while it was started, it may not be there yet, and ends as it comes.
            if thread.is_alive():
                thread.join()
        self._threads.clear()

    def _has_thread(self) -> bool:
        """Return whether there is a thread; start one more while all are at work."""
        if self._jobs_under_way >= len(self._threads) < self._most_threads:
            thread = Thread(
                target=_do_all, args=(self._jobs,), name="reedbackup-deflate", daemon=True
            )
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError:
                # This user has as many threads as the system allows.
                self._threads.pop()
                self._most_threads = len(self._threads)
        return bool(self._threads)

    def _taken(self, left: int) -> list[Segment]:
        """Return segments until no more than `left` pieces are with the threads."""
        taken = []
        while self._under_way:
            first = self._under_way[0]
            if isinstance(first, _Job):
                if self._jobs_under_way <= left:
                    break
                self._jobs_under_way -= 1
                self._under_way.popleft()
                first = first.segment()
            else:
                self._under_way.popleft()
            taken.append(first)
        return taken


def _useful_threads() -> int:
    """Return how many threads may be of use: with one processor, none."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(count or 1, _MOST_THREADS) if count != 1 else 0


def _do_all(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        job.do()
