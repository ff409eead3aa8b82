"""Deflate, large pieces in threads beside this one."""

from __future__ import annotations

import zlib
from collections import deque
from functools import partial
from typing import NamedTuple

from isal import isal_zlib

from reedbase_backup.archive.beside import Job, Threads
from reedbase_backup.archive.gzip_header import RAW_DEFLATE

# isal's levels are 0 to 3. Of ReedBase tables, 2 leaves 27.8 % at 570 MB/s a core, 3
# leaves 27.4 % at 340 MB/s, 1 leaves 28.8 % at 590 MB/s.
_LEVEL = 2
# Handing a piece to another thread costs 20 to 100 us, compressing this much 300.
_WORTH_A_THREAD = 1 << 17


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


class Deflating:
    """Compresses one piece after another, and gives them back in their order.

    There are threads from the first large piece until `close`; small ones are not
    worth it.
    """

    def __init__(self) -> None:
        self._threads = Threads()
        self._under_way: deque[Job[Segment] | Segment] = deque()
        self._jobs_under_way = 0

    def add(self, piece: bytes) -> list[Segment]:
        """Have `piece` compressed, and return what came of earlier ones so far."""
        job = None
        if len(piece) >= _WORTH_A_THREAD:
            job = self._threads.take(partial(deflated, piece), self._jobs_under_way)
        self._jobs_under_way += job is not None
        self._under_way.append(job or deflated(piece))
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
        self._threads.close()

    def _taken(self, left: int) -> list[Segment]:
        """Return segments until no more than `left` pieces are with the threads."""
        taken = []
        while self._under_way:
            first = self._under_way[0]
            if isinstance(first, Job):
                if self._jobs_under_way <= left:
                    break
                self._jobs_under_way -= 1
                self._under_way.popleft()
                first = first.result()
            else:
                self._under_way.popleft()
            taken.append(first)
        return taken
