"""The gzip members that fill a file, with nothing in them trusted."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, cast

from isal import igzip_lib, isal_zlib

from reedbase_backup.archive.beside import Job, Threads
from reedbase_backup.archive.deflating import Span
from reedbase_backup.archive.gzip_header import EXTRA_FIELD, MAGIC, RAW_DEFLATE, TRAILER
from reedbase_backup.archive.gzip_writer import Stretch
from reedbase_backup.archive.limits import MAX_GZIP_TEXT, LimitExceeded

# isal's stubs do not say that this is an exception class.
ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)
"""What isal raises for data that are no deflate stream."""

_FHCRC, _FNAME, _FCOMMENT = 0x02, 0x08, 0x10
_RESERVED_FLAGS = 0xE0
_CRC16 = struct.Struct("<H")
# What is read at a time is copied for each piece of what it makes, which may be
# a thousand times as much.
_CHUNK = 1 << 19
_OUTPUT = 1 << 20
# What is read first of a stretch: a tar header is in it, and little else is inflated in vain.
_STRETCH_HEAD = 1 << 10
# From here on in a file, it is worth a thread.
_BESIDE_FROM = 1 << 19


class GzipDamaged(Exception):
    """The bytes are not whole, sound gzip members."""


@dataclass(slots=True)
class _Begun:
    """A stretch that is being read."""

    stretch: Stretch
    before: Span
    """The content before it."""
    packed_crc: int = 0
    """CRC-32 of what was read of it, as compressed."""

    @property
    def head_end(self) -> int:
        """Where in the file ends what is read of it before it may be passed over."""
        return self.stretch.offset + _STRETCH_HEAD

    @property
    def end(self) -> int:
        """Where in the file it ends."""
        return self.stretch.offset + self.stretch.packed.size

    @property
    def after(self) -> Span:
        """The content up to its end, if it is what it is said to be."""
        return self.before.joined(self.stretch.content)


class GzipReader:
    """Reads the gzip members that fill a file; zero bytes after the last are padding.

    The `stretches`, which need nothing before them, are what it may `pass_over`. They are
    not trusted either: one that is not as it is said to be is read, or found damaged.

    `read` raises GzipDamaged for anything else: a bad header, damaged or missing
    data, a wrong checksum or length, other bytes after a member. It raises
    LimitExceeded for a header whose texts are longer than any.

    Of a large file, what comes next is inflated by a thread meanwhile.
    """

    def __init__(self, file: IO[bytes], stretches: Sequence[Stretch] = ()) -> None:
        self._file = file
        self._ahead = sorted(stretches, key=lambda stretch: stretch.offset, reverse=True)
        self._begun: _Begun | None = None
        self.has_extra_field = False
        """Whether the first header has one, once anything has been read."""
        self.body_crc = 0
        """CRC-32 of all that was read after the first header."""
        self._input = b""
        self._inflate: isal_zlib.Decompress | None = None
        self._threads = Threads(most=1)
        self._next: Job[tuple[bytes, int]] | None = None
        """What comes of `_input`, where a thread inflates it."""
        self._crc = 0
        self._size = 0
        self._output = b""
        self._at = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the verified end."""
        data = self._output[self._at : self._at + size]
        self._at += len(data)
        return data if len(data) == size else self._completed(data, size)

    @property
    def at_hand(self) -> tuple[bytes, int]:
        """Content that is inflated, and where in it that is which `read` gives next."""
        return self._output, self._at

    def skip(self, size: int) -> None:
        """Leave out the next `size` bytes, which are at hand."""
        self._at += size

    def pass_over(self, size: int) -> bool:
        """Leave out the next `size` bytes if they are the rest of a stretch, and return whether.

        Its compressed bytes are read and have their CRC-32; those that they make count with
        the CRC-32 that they are said to have, so that the member's is held against that, too.
        """
        begun = self._begun
        done = self._size - (len(self._output) - self._at)
        if begun is None or done + size != begun.after.size or not self._finish(begun):
            return False
        self._input = self._output = b""
        self._next = None
        self._at = 0
        self._size, self._crc = begun.after
        self._inflate = isal_zlib.decompressobj(RAW_DEFLATE)
        return True

    def _finish(self, begun: _Begun) -> bool:
        """Read the rest of a stretch as it is, and return whether it is what was written.

        Where it is not, nothing has been read: who inflates it finds out what is wrong.
        """
        start = self._file.tell()
        crc, body_crc, left = begun.packed_crc, self.body_crc, begun.end - start
        while left and (packed := self._file.read(min(left, _CHUNK))):
            crc = isal_zlib.crc32(packed, crc)
            body_crc = isal_zlib.crc32(packed, body_crc)
            left -= len(packed)
        if left or crc != begun.stretch.packed.crc:
            self._file.seek(start)
            return False
        self.body_crc = body_crc
        return True

    def drain(self, limit: int) -> bool:
        """Read on, for at most `limit` bytes, and return whether that was all, and verified."""
        while limit > 0 and not self._ended:
            limit -= len(self._decompress())
        return self._ended

    def _completed(self, data: bytes, size: int) -> bytes:
        """Return `data` with what follows it, up to `size` bytes, or all that are left."""
        parts, missing = [data], size - len(data)
        while missing and not self._ended:
            self._output = self._decompress()
            part = self._output[:missing]
            self._at = len(part)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _decompress(self) -> bytes:
        if self._inflate is None:
            self._start()
        assert self._inflate is not None
        inflated, self._next = self._next, None
        try:
            if inflated is not None:
                data, self._crc = inflated.result()
            elif self._input or self._refill():
                data, self._crc = _inflated(self._inflate, self._input, self._crc)
            else:
                raise GzipDamaged("it ends too early")
        except ISAL_ERROR as error:
            raise GzipDamaged(f"its compressed data is damaged ({error})") from error
        self._input = self._inflate.unconsumed_tail
        self._size += len(data)
        if self._inflate.eof:
            self._input = self._inflate.unused_data
            if TRAILER.unpack(self._take(TRAILER.size)) != (self._crc, self._size & 0xFFFFFFFF):
                raise GzipDamaged("its checksum is wrong")
            self._end_member()
        elif self._is_next_needed() and (self._input or self._refill()):
            todo = partial(_inflated, self._inflate, self._input, self._crc)
            self._next = self._threads.take(todo)
        return data

    def _is_next_needed(self) -> bool:
        """Return whether what follows is certain to be read, and worth a thread."""
        place = self._file.tell()
        is_choosable = self._begun is not None and place <= self._begun.head_end
        return place >= _BESIDE_FROM and not is_choosable

    def _start(self) -> None:
        if not self._refill():
            raise GzipDamaged("it is empty")
        self.has_extra_field = bool(self._start_member() & EXTRA_FIELD)
        self.body_crc = isal_zlib.crc32(self._input)

    def _end_member(self) -> None:
        if not self._input and not self._refill():
            self._ended = True
        elif self._input.startswith(b"\0"):
            self._skip_padding()
            self._ended = True
        elif self._input[:1] == MAGIC[:1]:
            self._start_member()
        else:
            raise GzipDamaged("there are other bytes after its end")

    def _skip_padding(self) -> None:
        while self._input:
            if self._input.strip(b"\0"):
                raise GzipDamaged("there are other bytes after its end")
            self._refill()

    def _start_member(self) -> int:
        """Pass over a member's header, and return its flags."""
        if not MAGIC.startswith(self._input[: len(MAGIC)]):
            raise GzipDamaged("it is not a gzip file")
        head = self._take(10)
        flags = head[3]
        if head[:3] != MAGIC or flags & _RESERVED_FLAGS:
            raise GzipDamaged("it is not a gzip file")
        if flags & EXTRA_FIELD:
            length = self._take(2)
            head += length + self._take(int.from_bytes(length, "little"))
        for flag in (_FNAME, _FCOMMENT):
            if flags & flag:
                head += self._take_text()
        if flags & _FHCRC and self._take(2) != _CRC16.pack(isal_zlib.crc32(head) & 0xFFFF):
            raise GzipDamaged("its header is damaged")
        self._inflate = isal_zlib.decompressobj(RAW_DEFLATE)
        self._crc = 0
        self._size = 0
        return flags

    def _take(self, size: int) -> bytes:
        """Return the next `size` bytes of the file itself."""
        while len(self._input) < size:
            before = self._input
            if not self._refill():
                raise GzipDamaged("it ends too early")
            self._input = before + self._input
        data, self._input = self._input[:size], self._input[size:]
        return data

    def _take_text(self) -> bytes:
        """Return the next bytes of the file up to a zero byte, and that."""
        while (end := self._input.find(b"\0", 0, MAX_GZIP_TEXT + 1)) < 0:
            if len(self._input) > MAX_GZIP_TEXT:
                raise LimitExceeded(f"a text of more than {MAX_GZIP_TEXT} bytes in its gzip header")
            before = self._input
            if not self._refill():
                raise GzipDamaged("it ends too early")
            self._input = before + self._input
        return self._take(end + 1)

    def _refill(self) -> bool:
        """Read more of the file, and return whether there was more."""
        self._input = self._file.read(self._readable())
        self.body_crc = isal_zlib.crc32(self._input, self.body_crc)
        if self._begun is not None:
            self._begun.packed_crc = isal_zlib.crc32(self._input, self._begun.packed_crc)
        return bool(self._input)

    def _readable(self) -> int:
        """Return how much to read at a time: at most up to where a stretch begins or ends."""
        if not self._ahead and self._begun is None:
            return _CHUNK
        place = self._file.tell()
        if self._begun is not None:
            if place < self._begun.end:
                return min(self._begun.end - place, _CHUNK)
            self._begun = None
        while self._ahead and self._ahead[-1].offset < place:
            self._ahead.pop()
        if not self._ahead:
            return _CHUNK
        if place < self._ahead[-1].offset:
            return min(self._ahead[-1].offset - place, _CHUNK)
        self._begun = _Begun(self._ahead.pop(), Span(self._size, self._crc))
        return min(self._begun.end - place, _STRETCH_HEAD)


def _inflated(inflate: isal_zlib.Decompress, packed: bytes, crc_before: int) -> tuple[bytes, int]:
    """Return the next content of a member, and the CRC-32 of it up to there."""
    content = inflate.decompress(packed, _OUTPUT)
    return content, isal_zlib.crc32(content, crc_before)
