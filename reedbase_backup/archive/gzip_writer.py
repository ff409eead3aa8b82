"""One gzip member, written in segments that need nothing of each other."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import IO

from isal import isal_zlib

from reedbase_backup.archive import gzip_header
from reedbase_backup.archive.deflating import NOTHING, Deflating, Segment, Span
from reedbase_backup.archive.gzip_header import TRAILER, Part, Summary

PIECE = 1 << 18
"""About how much content a segment has at most: isal gains 2 % from four times as much."""

# An empty block that is the last (RFC 1951, 3.2.3): what isal makes of nothing.
_LAST_BLOCK = b"\x03\x00"


@dataclass(slots=True)
class Stretch:
    """Segments that follow each other: where in the file, and what, once they are written."""

    offset: int = 0
    packed: Span = NOTHING
    content: Span = NOTHING

    def add(self, segment: Segment) -> None:
        """Add one at its end."""
        self.packed = self.packed.joined(segment.packed_span)
        self.content = self.content.joined(segment.span)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point between two segments that the writer can return to."""

    packed: Span
    content: Span


class GzipWriter:
    """Writes one gzip member to a seekable file, until `close`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._all = Stretch(gzip_header.SIZE)
        self._current = Stretch()
        self._stretches: deque[Stretch] = deque()
        """Which each segment under way is of."""
        self._file.write(bytes(gzip_header.SIZE))
        self._deflating = Deflating()

    def write(self, data: bytes) -> None:
        """Add `data` to the member."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= PIECE:
            self.cut()

    def write_all(self, pieces: list[bytes]) -> None:
        """Add what `write` would add of each."""
        size = sum(map(len, pieces))
        if self._pending_size + size < PIECE:
            self._pending += pieces
            self._pending_size += size
            return
        for piece in pieces:
            self.write(piece)

    @property
    def size(self) -> int:
        """How many bytes of content were written by now, roughly."""
        return self._all.content.size + self._pending_size

    def cut(self) -> None:
        """End a segment here, if anything is in it."""
        if self._pending_size:
            piece = b"".join(self._pending)
            self._pending.clear()
            self._pending_size = 0
            self._stretches.append(self._current)
            self._write_segments(self._deflating.add(piece))

    def begin_stretch(self) -> Stretch:
        """Return what holds all that is written from here to the next; whole after a `checkpoint`.

        A segment ends here.
        """
        self.cut()
        self._current = Stretch()
        return self._current

    def copy(self, segment: Segment) -> None:
        """Add what is compressed already."""
        self.cut()
        self._stretches.append(self._current)
        self._write_segments(self._deflating.pass_on(segment))

    def checkpoint(self) -> Checkpoint:
        """End a segment here; `rewind` can come back to it."""
        self.cut()
        self._write_segments(self._deflating.rest())
        return Checkpoint(self._all.packed, self._all.content)

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Forget everything written since `checkpoint`."""
        self._deflating.rest()
        self._stretches.clear()
        self._pending.clear()
        self._pending_size = 0
        self._all.packed, self._all.content = checkpoint.packed, checkpoint.content
        self._file.seek(self._end)
        self._file.truncate()

    def finish(self, *, table_count: int, index: Stretch) -> int:
        """Complete the member and its header, and return the file's size in bytes.

        `index` is where in the member the index is.
        """
        self.checkpoint()
        content = self._all.content
        end = _LAST_BLOCK + TRAILER.pack(content.crc, content.size & 0xFFFFFFFF)
        self._file.write(end)
        file_size = self._end + len(end)
        part = Part(index.offset, *index.packed)
        body_crc = isal_zlib.crc32(end, self._all.packed.crc)
        self._file.seek(0)
        self._file.write(gzip_header.encode(Summary(file_size, table_count, body_crc, part)))
        return file_size

    def be_alone(self) -> None:
        """Have nothing work beside this thread, until there is more to do."""
        self.checkpoint()
        self._deflating.close()

    @property
    def _end(self) -> int:
        return self._all.offset + self._all.packed.size

    def close(self) -> None:
        """End what works beside this thread, whether the member is complete or not."""
        self._deflating.close()

    def _write_segments(self, segments: list[Segment]) -> None:
        for segment in segments:
            stretch = self._stretches.popleft()
            stretch.offset = stretch.offset or self._end
            stretch.add(segment)
            self._all.add(segment)
            self._file.write(segment.packed)
