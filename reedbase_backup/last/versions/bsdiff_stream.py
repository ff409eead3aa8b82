"""The stream of the Rust crate `bsdiff` 0.2, which has neither header nor length.

It repeats until it ends:

    24 bytes    three 8-byte little-endian integers whose top bit is the sign:
                bytes to mix, bytes of extra, bytes to seek in the old content
    mix bytes   each added to the old content's byte, modulo 256
    extra bytes copied as they are

An empty stream stands for an empty version. A stream that ends between two
records ends properly. (Source: contract `last`, "On disk" and "restore" 2.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from reedbase_backup.errors import DeltaApplicationFailed
from reedbase_backup.last.versions.stream import Stream
from reedbase_backup.types import I64_MAX, U64_MAX

Control = tuple[int, int, int]

CONTROL = struct.Struct("<QQQ")

# How the baseline's patch names its two failures (contract `last`, "restore" 2).
UNEXPECTED_EOF = "UnexpectedEof"
INVALID_DATA = "InvalidData"


def encode(controls: Iterable[Control], mixed: bytes, extra: bytes) -> bytes:
    """Return the header-less bsdiff stream of `controls` and their bytes."""
    parts: list[bytes] = []
    mixed_at = extra_at = 0
    for mix, add, seek in controls:
        parts.append(CONTROL.pack(mix, add, abs(seek) | (seek < 0) << 63))
        parts.append(mixed[mixed_at : mixed_at + mix])
        parts.append(extra[extra_at : extra_at + add])
        mixed_at += mix
        extra_at += add
    return b"".join(parts)


class Segment(NamedTuple):
    """A stretch of old content, changed or not, and what follows it in the new content."""

    start: int
    """Offset in the old content."""
    end: int
    """Offset in the old content."""
    mixed: bytes | None
    """What to add to each byte, modulo 256; None if nothing changes."""
    extra: bytes

    def stretch_of(self, old: bytearray) -> bytes | bytearray:
        """Return the stretch as the new content has it."""
        kept = old[self.start : self.end]
        return kept if self.mixed is None else _add(kept, self.mixed)


class Patch(NamedTuple):
    """A decompressed delta, ready to be applied."""

    segments: list[Segment]
    """In order of output."""
    failure: str | None
    """How the stream breaks off after the last segment; None if it ends properly."""

    def apply(self, content: bytearray) -> None:
        """Make `content` the version after it. Raise DeltaApplicationFailed if this does not fit.

        It is changed where it stands: a table is large, and what changes in it little.
        """
        if any(segment.end > len(content) for segment in self.segments):
            raise _unfit(UNEXPECTED_EOF)
        if self.failure is not None:
            raise _unfit(self.failure)
        if any(segment.end > later.start for segment, later in pairwise(self.segments)):
            parts = [(segment.stretch_of(content), segment.extra) for segment in self.segments]
            content[:] = b"".join(chain.from_iterable(parts))
            return
        # From the last to the first, so that what is before stays where it was.
        begun = len(content)
        for segment in reversed(self.segments):
            if segment.extra or segment.end < begun:
                content[segment.end : begun] = segment.extra
            if segment.mixed is not None:
                content[segment.start : segment.end] = segment.stretch_of(content)
            begun = segment.start
        del content[:begun]


def parse(stream: Stream) -> Patch:
    """Return the patch in a decompressed `stream`; damage is kept for `Patch.apply` to raise.

    The baseline meets errors record by record, whether they come from the
    stream or from the old content, so the first one by position must win.
    """
    segments: list[Segment] = []
    at = position = 0
    size = len(stream)
    while at < size:
        if size - at < CONTROL.size:
            return Patch(segments, UNEXPECTED_EOF)
        mix, add, seek = CONTROL.unpack(stream.part(at, at + CONTROL.size))
        at += CONTROL.size
        if mix + add > size - at:
            return Patch(segments, INVALID_DATA if mix + add > U64_MAX else UNEXPECTED_EOF)
        extra = stream.part(at + mix, at + mix + add)
        segments += _segments(stream, at, at + mix, position, extra)
        at += mix + add
        position += mix + signed(seek)
        if not 0 <= position <= I64_MAX:
            return Patch(segments, INVALID_DATA)
    return Patch(segments, None)


def _segments(
    stream: Stream, start: int, end: int, position: int, extra: bytes
) -> Sequence[Segment]:
    """Return the segments of the diff block `stream[start:end]`, which begins at old `position`.

    Nearly all of a block is zero, which means unchanged: as a rule all, otherwise at both ends.
    """
    size = end - start
    if stream.is_zero(start, end):
        return (Segment(position, position + size, None, extra),)
    head = extent(size, lambda a, b: stream.is_zero(start + a, start + b))
    tail = extent(size - head, lambda a, b: stream.is_zero(end - b, end - a))
    first, last = position + head, position + size - tail
    return (
        Segment(position, first, None, b""),
        Segment(first, last, stream.part(start + head, end - tail), b""),
        Segment(last, position + size, None, extra),
    )


def signed(value: int) -> int:
    """Return the integer in a sign-and-magnitude u64, as bsdiff writes it."""
    return value if value <= I64_MAX else I64_MAX + 1 - value


def _add(old: bytearray, mixed: bytes) -> bytes:
    """Return the byte-wise sum modulo 256: all lanes of one large integer at once."""
    size = len(mixed)
    low = int.from_bytes(b"\x7f" * size)
    left, right = int.from_bytes(old), int.from_bytes(mixed)
    total = ((left & low) + (right & low)) ^ ((left ^ right) & ~low)
    return total.to_bytes(size)


def extent(limit: int, alike: Callable[[int, int], bool]) -> int:
    """Return the largest n <= `limit` for which all of [0, n) is `alike`, found by halving."""
    known = 0
    while known < limit:
        half = known + (limit - known + 1) // 2
        if alike(known, half):
            known = half
        else:
            limit = half - 1
    return known


def _unfit(kind: str) -> DeltaApplicationFailed:
    return DeltaApplicationFailed(reason=f"bspatch error: Kind({kind})")
