"""One tar header as anybody writes it: v7, ustar and GNU, and the records of pax headers."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from decimal import Decimal

from reedbase_backup.archive.tar.header import BLOCK, FILE, Member, byte_sum

_OLD_FILE = b"\0"
_CONTIGUOUS_FILE = b"7"
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s6s82x155s12x")
_HALF = BLOCK // 2
_SIGNED = struct.Struct("512b")
_PAX_NUMBER = re.compile(rb"-?[0-9]{1,20}(\.[0-9]*)?(e[-+][0-9]{1,2})?")

# The same with the owner's fields as one, and all from the kind on.
_SERIES = struct.Struct("100s24s12s12s8s356s")
_CHECKED = 148
_PREFIX_AT = 345
_BASE_256 = 0x80
"""GNU's mark, in the first byte, of a number that is not octal."""
# A checksum counts its own field as eight spaces.
_OWN_SUM = 8 * ord(" ")
_NOT_OCTAL = "a header holds a number that is not octal"
# What a name may end in that is a folder's.
_NO_LEAVES = (b"", b".", b"..")

File = tuple[bytes, int, bytes]
"""Of one file of a series: the last part of its name, its mtime in nanoseconds, its content.

(Of 10,000, a named tuple takes 2 ms more.)
"""


class TarDamaged(Exception):
    """The bytes are not a tar archive, or not all of it."""


def decode(block: bytes) -> Member:
    """Return the member of one header block, of which only the checksum is checked."""
    name, mode, uid, gid, size, mtime, checksum, kind, link, magic, prefix = _FIELDS.unpack(block)
    total = _sum(block) - byte_sum(checksum) + _OWN_SUM
    if (claimed := number(checksum)) != total and claimed != _signed_sum(block):
        raise TarDamaged("a header's checksum is wrong")
    name = name.partition(b"\0")[0]
    if magic == b"ustar\0" and prefix[0]:
        name = prefix.partition(b"\0")[0] + b"/" + name
    return Member(
        name=name,
        kind=FILE if kind in (_OLD_FILE, _CONTIGUOUS_FILE) else kind,
        mode=number(mode) & 0o7777,
        uid=number(uid),
        gid=number(gid),
        size=number(size),
        mtime_ns=number(mtime) * 10**9,
        link=link.partition(b"\0")[0],
    )


class Series:
    """Reads files of one folder whose headers repeat one but for name, size and time, as most do.

    All at once: an archive of 10,000 small files is verified in 54 ms so, one by one in 78.
    """

    def __init__(self, block: bytes, folder: bytes) -> None:
        _, self._owner, _, _, _, self._rest = _SERIES.unpack(block)
        self._sum = _sum(self._rest) + _OWN_SUM
        self._folder = folder

    @classmethod
    def begun(cls, block: bytes, member: Member) -> Series | None:
        """Return the series that `block` begins, the header of `member`; None for what is no file.

        `member` is to be what `decode` says, and to be admissible in mode and owner.
        """
        folder, _, leaf = member.name.rpartition(b"/")
        if member.kind != FILE or leaf in _NO_LEAVES or block[_PREFIX_AT]:
            return None
        return cls(block, folder)

    def files(self, data: bytes, start: int) -> tuple[list[File], int]:
        """Return the files that are whole in `data` from `start` on, and where they end.

        That is before whatever `decode` has to look at. Sizes and times are within all
        limits, for they are octal and of 12 digits.
        """
        files: list[File] = []
        begin, last = start, len(data) - BLOCK
        while begin <= last:
            name, owner, size_field, mtime, checksum, rest = _SERIES.unpack_from(data, begin)
            if rest != self._rest or owner != self._owner:
                break
            folder, _, leaf = name.partition(b"\0")[0].rpartition(b"/")
            if folder != self._folder or leaf in _NO_LEAVES:
                break
            if (size_field[0] | mtime[0]) & _BASE_256:
                break
            try:
                if number(checksum) != byte_sum(data[begin : begin + _CHECKED]) + self._sum:
                    break
                size, mtime_ns = number(size_field), number(mtime) * 10**9
            except TarDamaged:
                break
            content = begin + BLOCK
            end = content + size + -size % BLOCK
            if end > len(data):
                break
            files.append((leaf, mtime_ns, data[content : content + size]))
            begin = end
        return files, begin


def _sum(data: bytes) -> int:
    return byte_sum(data[:_HALF]) + byte_sum(data[_HALF:])


def _signed_sum(block: bytes) -> int:
    """Return the checksum as some old systems count it, to which bytes above 127 are negative."""
    return sum(_SIGNED.unpack(block[:148] + b" " * 8 + block[156:]))


def number(field: bytes) -> int:
    """Return the value of a numeric field: octal, or GNU's base-256 where the top bit is set."""
    digits = field.rstrip(b"\0 ")
    if not digits.isdigit():
        if field[0] & _BASE_256:
            value = int.from_bytes(field, "big")
            bits = 8 * len(field)
            # 0xff… is a negative number in two's complement, 0x80… a positive one.
            return value - (1 << bits) if field[0] & 0x40 else value - (1 << (bits - 1))
        digits = field.partition(b"\0")[0].strip(b" ") or b"0"
        if not digits.isdigit():
            raise TarDamaged(_NOT_OCTAL)
    try:
        return int(digits, 8)
    except ValueError:
        raise TarDamaged(_NOT_OCTAL) from None


def parse_pax(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the records of a pax header: keys and values."""
    start = 0
    while start < len(content):
        # A length of more digits than this would be beyond any extension.
        digits, space, _ = content[start : start + 8].partition(b" ")
        end = start + (int(digits) if space and digits.isdigit() else 0)
        key, equals, value = content[start + len(digits) + 1 : end].partition(b"=")
        if end > len(content) or not equals or not value.endswith(b"\n"):
            raise TarDamaged("a pax record is malformed")
        yield key, value[:-1]
        start = end


def billionths(text: bytes | None, default: int) -> int:
    """Return the value of a pax number such as `-1.5`, in billionths.

    `-1e-09` too: POSIX has no exponents, but Python's tarfile writes them.
    """
    if text is None:
        return default
    if not _PAX_NUMBER.fullmatch(text):
        raise TarDamaged("a pax record holds a malformed number")
    return int(Decimal(text.decode()).scaleb(9))
