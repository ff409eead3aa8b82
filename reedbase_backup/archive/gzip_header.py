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

# Magic, flags, mtime 0 (reproducible), no hint, unknown system; extra length.
_HEADER = struct.Struct("<3sBIBBH2sHQQI")
_SUBFIELD_SIZE = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What our extra field says of an archive."""

    file_size: int
    table_count: int
    body_crc: int


def encode(summary: Summary) -> bytes:
    subfield = (b"RB", _SUBFIELD_SIZE, summary.file_size, summary.table_count, summary.body_crc)
    return _HEADER.pack(MAGIC, EXTRA_FIELD, 0, 0, 255, 4 + _SUBFIELD_SIZE, *subfield)


def read_summary(file: IO[bytes]) -> Summary | None:
    """Return the extra field of an archive of ours; None where the gzip header is another's."""
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return None
    summary = Summary(*_HEADER.unpack(head)[-3:])
    return summary if head == encode(summary) else None
