"""Deltas between table versions, in the format that `last/` writes.

A delta is an xz stream (preset 6) over a bsdiff stream (see `bsdiff_stream`).
Reading takes three steps so that the first two, which do not need the version
before, can run ahead in threads: `decompress`, `parse`, `Patch.apply`.
(Source: contract `last`, "On disk", measured on the baseline.)
"""

from __future__ import annotations

import bz2
import lzma
import struct
from collections.abc import Iterator

import bsdiff4

from reedbase_backup.errors import DecompressionFailed
from reedbase_backup.last.versions.bsdiff_stream import (
    CONTROL,
    Control,
    encode,
    extent,
    parse,
    signed,
)
from reedbase_backup.last.versions.stream import CHUNK, Stream

XZ_PRESET = 6

# liblzma's return codes reach Python as these texts and the baseline as those.
_XZ_REASONS = {
    "Corrupt input data": "lzma data error",
    "Input format not supported by decoder": "stream/file format not recognized",
    "Invalid or unsupported options": "invalid options",
    "Memory usage limit exceeded": "memory limit reached",
    "Internal error": "liblzma internal error",
}

_BSDIFF40 = struct.Struct("<8sQQQ")


def diff(old: bytes, new: bytes) -> bytes:
    """Return the delta (an xz stream) that turns `old` into `new`.

    Only the part between the common start and the common end is searched:
    most writes change one place, and searching costs seconds on large tables.
    """
    if not new:
        return compress(b"")
    start = _common_prefix(old, new)
    tail = _common_suffix(old, new, start)
    old_end, new_end = len(old) - tail, len(new) - tail
    if start in (old_end, new_end):
        return splice(old, start, old_end, new[start:new_end])
    inner, mixed, extra = _search(old[start:old_end], new[start:new_end])
    controls = [(start, 0, 0), *inner, (tail, 0, 0)]
    return compress(encode(controls, bytes(start) + mixed + bytes(tail), extra))


def splice(old: bytes, start: int, end: int, replacement: bytes) -> bytes:
    """Return the delta that replaces `old[start:end]`, made without searching.

    For histories whose edits are known, this is thousands of times faster
    than `diff` and just as valid.
    """
    tail = len(old) - end
    controls = [(start, len(replacement), end - start)]
    if tail:
        controls.append((tail, 0, 0))
    return compress(encode(controls, bytes(start + tail), replacement))


def apply(old: bytes, delta: bytes) -> bytes:
    """Return the version that `delta` makes of `old`.

    Raise DecompressionFailed when `delta` is not exactly one xz stream, and
    DeltaApplicationFailed when its content does not fit `old`.
    """
    content = bytearray(old)
    parse(decompress(delta)).apply(content)
    return bytes(content)


def decompress(delta: bytes) -> Stream:
    """Return the stream in `delta`. Raise DecompressionFailed unless that is one xz stream."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        stream = Stream(_chunks(decoder, delta))
    except lzma.LZMAError as error:
        text = str(error)
        raise _undecodable(_XZ_REASONS.get(text, text)) from None
    except MemoryError:
        raise _undecodable("can't allocate memory") from None
    if not decoder.eof:
        raise _undecodable("premature eof")
    if decoder.unused_data:
        raise _undecodable("corrupt xz stream")
    return stream


def _chunks(decoder: lzma.LZMADecompressor, delta: bytes) -> Iterator[bytes]:
    chunk = decoder.decompress(delta, CHUNK)
    while chunk:
        yield chunk
        chunk = b"" if decoder.eof else decoder.decompress(b"", CHUNK)


def compress(stream: bytes) -> bytes:
    """Return `stream` as an xz stream at the baseline's preset."""
    return lzma.compress(stream, format=lzma.FORMAT_XZ, preset=XZ_PRESET)


def _search(old: bytes, new: bytes) -> tuple[list[Control], bytes, bytes]:
    """Search as bsdiff; return controls, diff and extra bytes. The last seek ends where `old` does.

    Taken out of bsdiff4's file format (a 32-byte header, three bzip2 blocks),
    because what its C core returns differs between releases.
    """
    file = bsdiff4.diff(old, new)
    _, control_size, diff_size, _ = _BSDIFF40.unpack_from(file)
    diff_at = _BSDIFF40.size + control_size
    extra_at = diff_at + diff_size
    blocks = file[_BSDIFF40.size : diff_at], file[diff_at:extra_at], file[extra_at:]
    control_block, mixed, extra = map(bz2.decompress, blocks)
    controls = [(mix, add, signed(seek)) for mix, add, seek in CONTROL.iter_unpack(control_block)]
    mix, add, seek = controls[-1]
    end = sum(mix + seek for mix, _, seek in controls)
    controls[-1] = (mix, add, seek + len(old) - end)
    return controls, mixed, extra


def _common_prefix(old: bytes, new: bytes) -> int:
    """Return how many bytes `old` and `new` have in common at the start."""
    view = memoryview(new)
    return extent(min(len(old), len(new)), lambda a, b: old.startswith(view[a:b], a))


def _common_suffix(old: bytes, new: bytes, start: int) -> int:
    """Return how many bytes `old` and `new` have in common at the end, after offset `start`."""
    view, size = memoryview(new), len(new)
    return extent(
        min(len(old), size) - start,
        lambda a, b: old.endswith(view[size - b : size - a], 0, len(old) - a),
    )


def _undecodable(reason: str) -> DecompressionFailed:
    return DecompressionFailed(reason=f"XZ read error: {reason}")
