"""One gzip member, written in segments that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from isal import isal_zlib

from reedbase_backup.archive import gzip_header
from reedbase_backup.archive.deflating import Deflating
from reedbase_backup.archive.gzip_header import RAW_DEFLATE, TRAILER, Summary

# isal's levels are 0 to 3: on ReedBase tables 3 is the smallest and still
# faster than the disk (10k rows: 4.5 ms, 69 % smaller).
_LEVEL = 3
# Handing a piece to the other thread costs 20 to 100 us, compressing this much 600.
_COMPRESS_AT = 1 << 18


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point between two segments that the writer can return to."""

    offset: int
    body_crc: int
    crc: int
    size: int


class GzipWriter:
    """Writes one gzip member to a seekable file, until `close`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._crc = 0
        self._size = 0
        self._body_crc = 0
        self._file.write(gzip_header.encode(Summary(0, 0, 0)))
        self._deflate = _deflater()
        self._deflating = Deflating()

    def write(self, data: bytes) -> None:
        """Add `data` to the member."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= _COMPRESS_AT:
            self._write_body(*self._deflating.add(self._deflate, self._taken()))

    def checkpoint(self) -> Checkpoint:
        """End a deflate segment here; `rewind` can come back to it.

        A full flush makes what follows independent of what came before, so a
        fresh compressor may go on from here.
        """
        self._compress()
        self._write_body(self._deflate.flush(isal_zlib.Z_FULL_FLUSH))
        return Checkpoint(self._file.tell(), self._body_crc, self._crc, self._size)

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Forget everything written since `checkpoint`."""
        self._deflating.rest()
        self._pending.clear()
        self._pending_size = 0
        self._file.seek(checkpoint.offset)
        self._file.truncate()
        self._body_crc = checkpoint.body_crc
        self._crc, self._size = checkpoint.crc, checkpoint.size
        self._deflate = _deflater()

    def finish(self, *, table_count: int) -> int:
        """Complete the member and its header, and return the file's size in bytes."""
        self._compress()
        self._write_body(self._deflate.flush(isal_zlib.Z_FINISH))
        self._write_body(TRAILER.pack(self._crc, self._size & 0xFFFFFFFF))
        file_size = self._file.tell()
        self._file.seek(0)
        self._file.write(gzip_header.encode(Summary(file_size, table_count, self._body_crc)))
        return file_size

    def close(self) -> None:
        """End what works beside this thread, whether the member is complete or not."""
        self._deflating.close()

    def _compress(self) -> None:
        """Compress all that is left, here: mostly too little for the other thread."""
        self._write_body(*self._deflating.rest())
        self._write_body(self._deflate.compress(self._taken()))

    def _taken(self) -> bytes:
        """Return what is to be compressed next, and count it."""
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        return data

    def _write_body(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._body_crc = isal_zlib.crc32(piece, self._body_crc)
            self._file.write(piece)


def _deflater() -> isal_zlib.Compress:
    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, RAW_DEFLATE)
