"""The gzip header of our archives, with an extra field that describes them (FORMAT.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

MAGIC = b"\x1f\x8b\x08"
EXTRA_FIELD = 0x04
"""The flag of a header with an extra field."""
RAW_DEFLATE = -15
"""zlib's window bits for deflate without a header of its own."""
TRAILER = struct.Struct("<II")
"""What ends a member: CRC-32 and size, modulo 2^32, of its content."""

# Magic, flags, mtime 0 (reproducible), no hint, unknown system; extra length; subfield.
_START = struct.Struct("<3sBIBBH2sH")
_BASIC = struct.Struct("<QQI")
_INDEX = struct.Struct("<QII")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an archive file: where, how many bytes, and their CRC-32."""

    offset: int
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What our extra field says of an archive."""

    file_size: int
    table_count: int
    body_crc: int
    index: Part | None = None
    """The content of its index, as compressed; None of an archive made without one."""


SIZE = _START.size + _BASIC.size + _INDEX.size
"""The size in bytes of the header of an archive with an index."""


def encode(summary: Summary) -> bytes:
    """Return the header that says `summary`."""
    fields = _BASIC.pack(summary.file_size, summary.table_count, summary.body_crc)
    if (part := summary.index) is not None:
        fields += _INDEX.pack(part.offset, part.size, part.crc)
    size = len(fields)
    return _START.pack(MAGIC, EXTRA_FIELD, 0, 0, 255, 4 + size, b"RB", size) + fields


def read_summary(file: IO[bytes]) -> Summary | None:
    """Return the extra field of an archive of ours; None where the gzip header is another's."""
    head = file.read(SIZE)
    for has_index in (True, False):
        size = SIZE if has_index else SIZE - _INDEX.size
        if len(head) >= size:
            index = Part(*_INDEX.unpack_from(head, size - _INDEX.size)) if has_index else None
            file_size, table_count, body_crc = _BASIC.unpack_from(head, _START.size)
            summary = Summary(file_size, table_count, body_crc, index)
            if head[:size] == encode(summary):
                return summary
    return None
