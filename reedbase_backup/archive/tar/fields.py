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
_CHECKED = slice(148)
_PREFIX_AT = 345
_BASE_256 = 0x80
"""GNU's mark, in the first byte, of a number that is not octal."""
# A checksum counts its own field as eight spaces.
_OWN_SUM = 8 * ord(" ")
_NOT_OCTAL = "a header holds a number that is not octal"


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
    """Decodes the headers that repeat one but for name, size, time and checksum, as most do."""

    def __init__(self, block: bytes, member: Member) -> None:
        _, self._owner, _, _, _, self._rest = _SERIES.unpack(block)
        self._sum = _sum(self._rest) + _OWN_SUM
        self._member = member

    @classmethod
    def begun(cls, block: bytes, member: Member) -> Series | None:
        """Return the series that `block` begins, the header of `member`; None for what is no file.

        `member` is to be what `decode` says, and to be admissible in mode and owner.
        """
        has_prefix = block[_PREFIX_AT] != 0
        return None if member.kind != FILE or has_prefix else cls(block, member)

    def next(self, block: bytes) -> Member | None:
        """Return the member of `block`; None where `decode` has to look at all of it.

        Its size and time are within all limits, for they are octal and of 12 digits.
        """
        name, owner, size, mtime, checksum, rest = _SERIES.unpack(block)
        if rest != self._rest or owner != self._owner:
            return None
        name = name.partition(b"\0")[0]
        if (size[0] | mtime[0]) & _BASE_256 or name[-1:] in (b"", b"/"):
            return None
        if number(checksum) != byte_sum(block[_CHECKED]) + self._sum:
            return None
        one = self._member
        mtime_ns = number(mtime) * 10**9
        return Member(name, FILE, one.mode, mtime_ns, number(size), one.uid, one.gid, one.link)


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
