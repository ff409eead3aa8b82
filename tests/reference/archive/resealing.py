"""Archives of ours that say something else, with every checksum right again."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reedbase_backup.archive.deflating import deflated
from reedbase_backup.archive.gzip_header import (
    RAW_DEFLATE,
    SIZE,
    TRAILER,
    Part,
    Summary,
    encode,
    read_summary,
)
from reedbase_backup.archive.gzip_writer import Stretch
from reedbase_backup.archive.reuse import origin
from reedbase_backup.archive.reuse.index import Index

INDEX_HEAD = len(b"reedbackup index 1\n") + origin.SIZE
"""Where in an index the first record is."""

# Of a stored block (RFC 1951, 3.2.4).
_BLOCK_HEAD = 5


def summary_of(content: bytes) -> tuple[Summary, Part]:
    """Return what the header of an archive says, and where its index is."""
    summary = read_summary(io.BytesIO(content))
    assert summary is not None
    assert summary.index is not None
    return summary, summary.index


def index_place(content: bytes) -> int:
    """Return where the content of an archive's index begins, which is one stored block."""
    return summary_of(content)[1].offset + _BLOCK_HEAD


def bodies(content: bytes) -> list[Stretch]:
    """Return where the runs are."""
    part = summary_of(content)[1]
    packed = content[part.offset : part.offset + part.size]
    plain = zlib.decompressobj(RAW_DEFLATE).decompress(packed)
    assert content[index_place(content) :].startswith(plain)
    return Index(plain, len(content)).bodies(0)


def resealed(content: bytes) -> bytes:
    """Return an archive of which any bytes after the header were changed, with right checksums."""
    summary, part = summary_of(content)
    plain = zlib.decompressobj(RAW_DEFLATE).decompress(content[SIZE : -TRAILER.size])
    trailer = TRAILER.pack(zlib.crc32(plain), len(plain))
    body = content[SIZE : -TRAILER.size] + trailer
    packed = content[part.offset : part.offset + part.size]
    sealed = replace(
        summary,
        file_size=len(content),
        body_crc=zlib.crc32(body),
        index=Part(part.offset, part.size, zlib.crc32(packed)),
    )
    return encode(sealed) + body


def rewritten(path: Path, content: bytes) -> None:
    """Write a file's content in place: ext4 has one on disk that was cut to nothing before."""
    with path.open("r+b", buffering=0) as file:
        file.truncate(len(content))
        file.write(content)


def edited(content: bytes, body: Stretch, edit: Callable[[bytes], bytes]) -> bytes:
    """Return an archive with the members of a run edited; the index says nothing of that."""
    summary, part = summary_of(content)
    end = body.offset + body.packed.size
    plain = zlib.decompressobj(RAW_DEFLATE).decompress(content[body.offset : end])
    assert edit(plain) != plain
    packed = deflated(edit(plain)).packed
    moved = Part(part.offset + len(packed) - body.packed.size, part.size, part.crc)
    head = encode(replace(summary, index=moved))
    return resealed(head + content[SIZE : body.offset] + packed + content[end:])
