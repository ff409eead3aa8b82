"""Damage to an archive, at every place: bits, bytes put in and taken out, cuts, zeros, junk.

Which of it an archive may bear is for a stranger to say: a byte of the gzip header (its time, its
system) and the last bits of the last byte carry nothing, and zeros behind the end are padding.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_reedbackup.databases.archives import data_offset, tree_in
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.views.tree import Tree

_ZEROED = (16, 64, 512)
"""How many bytes at once become zeros."""
_JUNK = b"this is no gzip member\n"
_GZIP = 31


@dataclass(frozen=True)
class Damaged:
    """One way in which an archive is damaged."""

    what: str
    content: bytes
    bearing: Callable[[bytes], Tree | None]
    """Returns what a restore of it may bring."""

    @property
    def bearable(self) -> Tree | None:
        """Return what a restore may bring; None where it must be refused."""
        return self.bearing(self.content)


@dataclass(frozen=True)
class Place:
    """Where an archive is damaged, and in which ways, one after the other."""

    point: str
    row: str
    number: int
    damages: Callable[[], Sequence[Damaged]]


def places_in(content: bytes, *, thorough: bool) -> list[list[Place]]:
    """Return all places of an archive, those of a row together.

    `thorough`: in each way that there is at each, instead of one.
    """
    each = range(len(content))
    return [
        [_place("byte", "bytes", at, partial(_byte, content, at, thorough)) for at in each],
        [_place("cut to", "cuts", at, partial(_cut, content, at)) for at in each],
        list(_zeroed_places(content)),
        [
            _place("behind", "behind", at, partial(_behind, content, at))
            for at in range(len(_BEHIND))
        ],
        list(_header_places(content)),
    ]


def _place(kind: str, row: str, at: int, damages: Callable[[], Sequence[Damaged]]) -> Place:
    return Place(f"{kind} {at}", row, at, damages)


def _byte(content: bytes, at: int, thorough: bool) -> list[Damaged]:
    before, byte, after = content[:at], content[at], content[at + 1 :]
    bits = range(8) if thorough else (at % 8,)
    changed = [
        (f"bit {bit} of byte {at} flipped", before + bytes([byte ^ 1 << bit]) + after)
        for bit in bits
    ]
    if thorough:
        changed += [
            (f"byte {at} missing", before + after),
            (f"a zero before byte {at}", before + b"\0" + bytes([byte]) + after),
            (f"byte {at} twice", before + bytes([byte, byte]) + after),
        ]
    return [Damaged(what, each, tree_in) for what, each in changed if each != content]


def _cut(content: bytes, at: int) -> list[Damaged]:
    what = f"cut to {at} of {len(content)} bytes"
    return [Damaged(what, content[:at], tree_in)]


def _zeroed_places(content: bytes) -> Iterator[Place]:
    for length in _ZEROED:
        for at in range(0, len(content), length):
            end = min(at + length, len(content))
            zeroed = content[:at] + bytes(end - at) + content[end:]
            if zeroed != content:
                damaged = Damaged(f"zeros from byte {at} to {end}", zeroed, tree_in)
                yield Place(f"zeros {at}+{length}", "zeros", at, partial(list, [damaged]))


# Behind the end ------------------------------------------------------------------


def _first_member(content: bytes) -> Tree | None:
    """Return what the first of several members holds: all that tar reads."""
    inflate = zlib.decompressobj(_GZIP)
    inflate.decompress(content)
    return tree_in(content.removesuffix(inflate.unused_data))


Bearable = Callable[[bytes], Tree | None]

_BEHIND: Sequence[tuple[str, Callable[[bytes], bytes], Bearable]] = (
    ("one byte behind its end", lambda sound: b"x", tree_in),
    ("a line behind its end", lambda sound: _JUNK, tree_in),
    ("gzip's magic behind its end", lambda sound: sound[:2], tree_in),
    ("half of itself behind its end", lambda sound: sound[: len(sound) // 2], tree_in),
    ("a byte of junk behind zeros", lambda sound: bytes(512) + b"x", tree_in),
    ("zeros behind its end", lambda sound: bytes(512), tree_in),
    ("one zero behind its end", lambda sound: b"\0", tree_in),
    ("an empty second member", lambda sound: gzip.compress(b"", mtime=0), _first_member),
    ("a second member of zeros", lambda sound: gzip.compress(bytes(512), mtime=0), _first_member),
    ("itself as a second member", lambda sound: sound, _first_member),
)
"""What may stand behind the end, and what a restore may bring all the same."""


def _behind(content: bytes, number: int) -> list[Damaged]:
    what, add, bearable = _BEHIND[number]
    return [Damaged(what, content + add(content), bearable)]


# In the tar ----------------------------------------------------------------------


def _header_places(content: bytes) -> Iterator[Place]:
    """Yield each byte of each header of the tar, whose own checksum tells of a flip."""
    tar = gzip.decompress(content)
    for start in _headers(tar):
        for at in range(start, start + tarfile.BLOCKSIZE):
            yield Place(f"tar byte {at}", "tar headers", at, partial(_in_tar, tar, at))


def _headers(tar: bytes) -> list[int]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as members:
        return [member.offset_data - tarfile.BLOCKSIZE for member in members]


def _in_tar(tar: bytes, at: int) -> list[Damaged]:
    bit = at % 8
    flipped = tar[:at] + bytes([tar[at] ^ 1 << bit]) + tar[at + 1 :]
    what = f"bit {bit} of byte {at} of its tar flipped, the gzip around it sound"
    return [Damaged(what, gzip.compress(flipped, 1, mtime=0), tree_in)]


# A few places, for who has no time for all ---------------------------------------


def flipped_bits(content: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` copies of a gzip member, each with one harmful bit flipped, over all its data.

    A flip that leaves the content as it was (in the padding bits of deflate) is
    no damage, and is passed over.
    """
    original = _decompressed(content)
    start = data_offset(content)
    for step in range(count):
        offset = start + (len(content) - 1 - start) * step // max(count - 1, 1)
        for bit in (step % 8, (step + 3) % 8, (step + 5) % 8):
            damaged = bytearray(content)
            damaged[offset] ^= 1 << bit
            if not _still_holds(bytes(damaged), original):
                yield f"bit {bit} of byte {offset} flipped", bytes(damaged)
                break


def missing_bytes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield copies of a gzip member that lack some of its bytes."""
    _decompressed(content)
    start, length = data_offset(content), len(content)
    for kept in sorted(
        {start, (start + length) // 2, length - 9, length - 8, length - 4, length - 1}
    ):
        yield f"cut to {kept} of {length} bytes", content[:kept]
    middle = (start + length) // 2
    yield f"byte {middle} missing", content[:middle] + content[middle + 1 :]


def _decompressed(content: bytes) -> bytes:
    """Return what a gzip member holds, which must be sound before it is damaged."""
    try:
        return zlib.decompress(content, _GZIP)
    except zlib.error as error:
        raise BrokenPromise(
            "an archive, before it is damaged",
            expected="a sound gzip member",
            found=str(error),
            cause=Cause.ARCHIVE,
        ) from error


def _still_holds(content: bytes, original: bytes) -> bool:
    try:
        return zlib.decompress(content, _GZIP) == original
    except zlib.error:
        return False
