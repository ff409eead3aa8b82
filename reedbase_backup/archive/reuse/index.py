"""The index: our own member of an archive, which says where its runs are (`runs`).

It is for the next backup, and for a restore to pass over what stays live; all else that a restore
needs to know, the manifest says.
"""

from __future__ import annotations

import os
import struct
from typing import IO, NamedTuple

from isal import isal_zlib

from reedbase_backup.archive.deflating import Span
from reedbase_backup.archive.gzip_header import RAW_DEFLATE, Part
from reedbase_backup.archive.gzip_reader import ISAL_ERROR
from reedbase_backup.archive.gzip_writer import Stretch
from reedbase_backup.archive.reuse import origin
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.runs import KEY_SIZE

NAME = b".reedbackup/index"
"""The member's name: outside tables/ and indices/ (contract `ticket`, create/content)."""

MAX_SIZE = 8 << 20
"""The largest index in bytes, which is one of five million small files: beyond, the rest of
the runs are not in it, and the next backup compresses them anew."""
# In a segment, stored in blocks of up to 65,535 bytes, each takes five more.
_MAX_PACKED_SIZE = MAX_SIZE + (MAX_SIZE >> 10)

_NOT_THERE = "its index is not where its header says"
_TITLE = b"reedbackup index 1\n"
_HEAD = len(_TITLE) + origin.SIZE
# A stretch: offset, size and CRC-32 as compressed, size and CRC-32 of the content.
_RECORD = struct.Struct(f"<{KEY_SIZE}sB" + "QQIQI" * 2)


class IndexDamaged(Exception):
    """The index is not one, or does not fit its archive."""


class Record(NamedTuple):
    """Where an archive has a run."""

    key: bytes
    is_plain: bool
    """Whether it is known that no file of the run has an access control list."""
    body: Stretch
    """Its members."""
    lines: Stretch
    """Its lines of the manifest."""


class Index:
    """What an index says."""

    def __init__(self, content: bytes, file_size: int) -> None:
        """Raise IndexDamaged where it is no index of an archive file of `file_size` bytes."""
        records_size = len(content) - _HEAD
        if not content.startswith(_TITLE) or records_size < 0 or records_size % _RECORD.size:
            raise IndexDamaged("its index is malformed")
        self._content = content
        self.origin = origin.decode(content[len(_TITLE) : _HEAD])
        self._places = {}
        for place in range(_HEAD, len(content), _RECORD.size):
            record = self._record(place)
            for stretch in (record.body, record.lines):
                if stretch.offset + stretch.packed.size > file_size:
                    raise IndexDamaged("its index says that it holds more than it does")
            self._places[record.key] = place

    def find(self, key: bytes) -> Record | None:
        """Return the record of the run of this key."""
        place = self._places.get(key)
        return None if place is None else self._record(place)

    def bodies(self, at_least: int) -> list[Stretch]:
        """Return where the runs are whose members have `at_least` so many bytes."""
        found = [self._record(place).body for place in self._places.values()]
        return [body for body in found if body.content.size >= at_least]

    def _record(self, place: int) -> Record:
        key, is_plain, *numbers = _RECORD.unpack_from(self._content, place)
        return Record(key, bool(is_plain), _stretch(numbers[:5]), _stretch(numbers[5:]))


def read(file: IO[bytes], part: Part) -> bytes:
    """Return the content of the index that is in this part of an archive file.

    Raise IndexDamaged where it is not there, or OSError.
    """
    size = os.fstat(file.fileno()).st_size
    if part.size > _MAX_PACKED_SIZE or part.offset + part.size > size:
        raise IndexDamaged(_NOT_THERE)
    file.seek(part.offset)
    packed = file.read(part.size)
    if Span.of(packed) != (part.size, part.crc):
        raise IndexDamaged(_NOT_THERE)
    try:
        content = isal_zlib.decompressobj(RAW_DEFLATE).decompress(packed, MAX_SIZE + 1)
    except ISAL_ERROR as error:
        raise IndexDamaged(_NOT_THERE) from error
    if len(content) > MAX_SIZE:
        raise IndexDamaged(_NOT_THERE)
    return content


def encode(made: Origin, records: list[Record]) -> bytes:
    """Return the index of these records, of as many as there is room for."""
    room = (MAX_SIZE - _HEAD) // _RECORD.size
    packed = [
        _RECORD.pack(key, is_plain, *_numbers(body), *_numbers(lines))
        for key, is_plain, body, lines in records[:room]
    ]
    return b"".join((_TITLE, origin.encode(made), *packed))


def _numbers(stretch: Stretch) -> tuple[int, ...]:
    return stretch.offset, *stretch.packed, *stretch.content


def _stretch(numbers: list[int]) -> Stretch:
    offset, packed_size, packed_crc, size, crc = numbers
    return Stretch(offset, Span(packed_size, packed_crc), Span(size, crc))
