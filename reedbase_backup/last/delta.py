"""Deltas between table versions, in the format that `last/` writes.

A delta is an xz stream (preset 6) over the stream of the Rust crate `bsdiff`
0.2, which has neither header nor length. It repeats until it ends:

    24 bytes    three 8-byte little-endian integers whose top bit is the sign:
                bytes to mix, bytes of extra, bytes to seek in the old content
    mix bytes   each added to the old content's byte, modulo 256
    extra bytes copied as they are

An empty stream stands for an empty version.
(Source: contract `last`, "On disk", measured on the baseline.)
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable

import bsdiff4.core

Control = tuple[int, int, int]

XZ_PRESET = 6


def diff(old: bytes, new: bytes) -> bytes:
    """The delta (an xz stream) that turns `old` into `new`."""
    if not new:
        return compress(b"")
    controls, mixed, extra = bsdiff4.core.diff(old, new)
    return compress(encode(controls, mixed, extra))


def splice(old: bytes, start: int, end: int, replacement: bytes) -> bytes:
    """The delta that replaces `old[start:end]`, made without searching.

    For histories whose edits are known, this is thousands of times faster
    than `diff` and just as valid.
    """
    tail = len(old) - end
    controls = [(start, len(replacement), end - start), (tail, 0, 0)]
    return compress(encode(controls, bytes(start + tail), replacement))


def compress(stream: bytes) -> bytes:
    """`stream` as an xz stream at the baseline's preset."""
    return lzma.compress(stream, format=lzma.FORMAT_XZ, preset=XZ_PRESET)


def encode(controls: Iterable[Control], mixed: bytes, extra: bytes) -> bytes:
    """The header-less bsdiff stream of `controls` and their bytes."""
    parts: list[bytes] = []
    mixed_at = extra_at = 0
    for mix, add, seek in controls:
        parts += [_offset(mix), _offset(add), _offset(seek)]
        parts.append(mixed[mixed_at : mixed_at + mix])
        parts.append(extra[extra_at : extra_at + add])
        mixed_at += mix
        extra_at += add
    return b"".join(parts)


def _offset(value: int) -> bytes:
    """Sign and magnitude, as bsdiff writes integers."""
    return (abs(value) | (value < 0) << 63).to_bytes(8, "little")
