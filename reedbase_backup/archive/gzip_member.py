"""One gzip member, written in restartable segments and read with nothing trusted.

Our archives carry an extra field in the gzip header (RFC 1952, FEXTRA), which
every gzip reader skips:

    "R" "B"  u16 20    subfield id and length
    u64                size of the whole file, so that a cut is noticed at once
    u64                table folders in the archive, so that a list needs no unpacking
    u32                CRC-32 of all that follows the header: gzip's own is of the
                       content, and deflate has bits that no content depends on
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, cast

from isal import igzip_lib, isal_zlib

from reedbase_backup.archive.limits import MAX_GZIP_TEXT, LimitExceeded

# isal's stubs do not say that this is an exception class.
_ISAL_ERROR = cast(type[Exception], igzip_lib.IsalError)

_MAGIC = b"\x1f\x8b\x08"
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 0x02, 0x04, 0x08, 0x10
_RESERVED_FLAGS = 0xE0
_RAW_DEFLATE = -15
# isal's levels are 0 to 3: on ReedBase tables 3 is the smallest and still
# faster than the disk (10k rows: 4.5 ms, 69 % smaller).
_LEVEL = 3
_TRAILER = struct.Struct("<II")
# Magic, flags, mtime 0 (reproducible), no hint, unknown system; extra length.
_HEADER = struct.Struct("<3sBIBBH2sHQQI")
_SUBFIELD_SIZE = 20
_CRC16 = struct.Struct("<H")
_COMPRESS_AT = 1 << 18
# What is read at a time is copied for each piece of what it makes, which may be
# a thousand times as much.
_CHUNK = 1 << 17
_OUTPUT = 1 << 20


class GzipDamaged(Exception):
    """The bytes are not whole, sound gzip members."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What our extra field says of an archive."""

    file_size: int
    table_count: int
    body_crc: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point between two segments that the writer can return to."""

    offset: int
    body_crc: int
    crc: int
    size: int


class GzipWriter:
    """Writes one gzip member to a seekable file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._crc = 0
        self._size = 0
        self._body_crc = 0
        self._file.write(_header(Summary(0, 0, 0)))
        self._deflate = _deflater()

    def write(self, data: bytes) -> None:
        """Adds `data` to the member."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= _COMPRESS_AT:
            self._compress()

    def checkpoint(self) -> Checkpoint:
        """Ends a deflate segment here; `rewind` can come back to it.

        A full flush makes what follows independent of what came before, so a
        fresh compressor may go on from here.
        """
        self._compress()
        self._write_body(self._deflate.flush(isal_zlib.Z_FULL_FLUSH))
        return Checkpoint(self._file.tell(), self._body_crc, self._crc, self._size)

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Forgets everything written since `checkpoint`."""
        self._pending.clear()
        self._pending_size = 0
        self._file.seek(checkpoint.offset)
        self._file.truncate()
        self._body_crc = checkpoint.body_crc
        self._crc, self._size = checkpoint.crc, checkpoint.size
        self._deflate = _deflater()

    def finish(self, *, table_count: int) -> int:
        """Completes the member and its header; returns the file's size in bytes."""
        self._compress()
        self._write_body(self._deflate.flush(isal_zlib.Z_FINISH))
        self._write_body(_TRAILER.pack(self._crc, self._size & 0xFFFFFFFF))
        file_size = self._file.tell()
        self._file.seek(0)
        self._file.write(_header(Summary(file_size, table_count, self._body_crc)))
        return file_size

    def _compress(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        self._write_body(self._deflate.compress(data))

    def _write_body(self, data: bytes) -> None:
        self._body_crc = isal_zlib.crc32(data, self._body_crc)
        self._file.write(data)


def _deflater() -> isal_zlib.Compress:
    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)


def _header(summary: Summary) -> bytes:
    subfield = (b"RB", _SUBFIELD_SIZE, summary.file_size, summary.table_count, summary.body_crc)
    return _HEADER.pack(_MAGIC, _FEXTRA, 0, 0, 255, 4 + _SUBFIELD_SIZE, *subfield)


def read_summary(file: IO[bytes]) -> Summary | None:
    """Our extra field of the gzip file, or None where its header is not one of ours."""
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return None
    summary = Summary(*_HEADER.unpack(head)[-3:])
    return summary if head == _header(summary) else None


class GzipReader:
    """Reads the gzip members that fill a file; zero bytes after the last are padding.

    `read` raises GzipDamaged for anything else: a bad header, damaged or missing
    data, a wrong checksum or length, other bytes after a member. It raises
    LimitExceeded for a header whose texts are longer than any.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.has_extra_field = False
        """Whether the first header has one, once anything has been read."""
        self.body_crc = 0
        """CRC-32 of all that was read after the first header."""
        self._input = b""
        self._inflate: isal_zlib.Decompress | None = None
        self._crc = 0
        self._size = 0
        self._output = b""
        self._at = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the verified end."""
        end = self._at + size
        if end > len(self._output):
            self._fill(size)
            end = self._at + size
        data = self._output[self._at : end]
        self._at += len(data)
        return data

    def drain(self, limit: int) -> bool:
        """Reads on, for at most `limit` bytes; whether that was all, and verified."""
        while limit > 0 and not self._ended:
            limit -= len(self._decompress())
        return self._ended

    def _fill(self, size: int) -> None:
        """Makes `size` bytes of output ready, or all that are left."""
        parts = [self._output[self._at :]]
        have = len(parts[0])
        while have < size and not self._ended:
            part = self._decompress()
            parts.append(part)
            have += len(part)
        self._output = b"".join(parts)
        self._at = 0

    def _decompress(self) -> bytes:
        if self._inflate is None:
            self._start()
        if not self._input and not self._refill():
            raise GzipDamaged("it ends too early")
        assert self._inflate is not None
        try:
            data = self._inflate.decompress(self._input, _OUTPUT)
        except _ISAL_ERROR as error:
            raise GzipDamaged(f"its compressed data is damaged ({error})") from error
        self._input = self._inflate.unconsumed_tail
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        if self._inflate.eof:
            self._input = self._inflate.unused_data
            if _TRAILER.unpack(self._take(_TRAILER.size)) != (self._crc, self._size & 0xFFFFFFFF):
                raise GzipDamaged("its checksum is wrong")
            self._end_member()
        return data

    def _start(self) -> None:
        if not self._refill():
            raise GzipDamaged("it is empty")
        self.has_extra_field = bool(self._start_member() & _FEXTRA)
        self.body_crc = isal_zlib.crc32(self._input)

    def _end_member(self) -> None:
        if not self._input and not self._refill():
            self._ended = True
        elif self._input.startswith(b"\0"):
            self._skip_padding()
            self._ended = True
        elif self._input[:1] == _MAGIC[:1]:
            self._start_member()
        else:
            raise GzipDamaged("there are other bytes after its end")

    def _skip_padding(self) -> None:
        while self._input:
            if self._input.strip(b"\0"):
                raise GzipDamaged("there are other bytes after its end")
            self._refill()

    def _start_member(self) -> int:
        """Passes over a member's header, and returns its flags."""
        if not _MAGIC.startswith(self._input[: len(_MAGIC)]):
            raise GzipDamaged("it is not a gzip file")
        head = self._take(10)
        flags = head[3]
        if head[:3] != _MAGIC or flags & _RESERVED_FLAGS:
            raise GzipDamaged("it is not a gzip file")
        if flags & _FEXTRA:
            length = self._take(2)
            head += length + self._take(int.from_bytes(length, "little"))
        for flag in (_FNAME, _FCOMMENT):
            if flags & flag:
                head += self._take_text()
        if flags & _FHCRC and self._take(2) != _CRC16.pack(isal_zlib.crc32(head) & 0xFFFF):
            raise GzipDamaged("its header is damaged")
        self._inflate = isal_zlib.decompressobj(_RAW_DEFLATE)
        self._crc = 0
        self._size = 0
        return flags

    def _take(self, size: int) -> bytes:
        """The next `size` bytes of the file itself."""
        while len(self._input) < size:
            before = self._input
            if not self._refill():
                raise GzipDamaged("it ends too early")
            self._input = before + self._input
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    def _take_text(self) -> bytes:
        """The next bytes of the file up to a zero byte, and that."""
        while (end := self._input.find(b"\0", 0, MAX_GZIP_TEXT + 1)) < 0:
            if len(self._input) > MAX_GZIP_TEXT:
                raise LimitExceeded(f"a text of more than {MAX_GZIP_TEXT} bytes in its gzip header")
            before = self._input
            if not self._refill():
                raise GzipDamaged("it ends too early")
            self._input = before + self._input
        return self._take(end + 1)

    def _refill(self) -> bool:
        """Reads more of the file; whether there was more."""
        self._input = self._file.read(_CHUNK)
        self.body_crc = isal_zlib.crc32(self._input, self.body_crc)
        return bool(self._input)
