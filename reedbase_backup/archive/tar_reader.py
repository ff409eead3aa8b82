"""Reading tar archives of anybody, with nothing in them trusted.

v7, ustar, GNU and pax headers are understood. What a member is allowed to be
called and to do is for `contents` to judge; here go only claims that no sound
archive makes of its own structure.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from reedbase_backup.archive.limits import MAX_EXTENSION, MAX_PATH, RECORD_COST, Allowance
from reedbase_backup.archive.tar_header import BLOCK, FILE, FOLDER, HARD_LINK, PAX, Member, byte_sum

_OLD_FILE = b"\0"
_CONTIGUOUS_FILE = b"7"
_PAX_GLOBAL = b"g"
_GNU_LONG_NAME = b"L"
_GNU_LONG_LINK = b"K"
_GNU_VOLUME_LABEL = b"V"
_SPARSE_FILE = b"S"

_PAX_KEYS = (b"path", b"linkpath", b"mtime", b"size", b"uid", b"gid")
_SPARSE_KEYS = b"GNU.sparse"
_PAX_NUMBER = re.compile(rb"-?[0-9]{1,20}(\.[0-9]*)?(e[-+][0-9]{1,2})?")
# The last 32-bit number means "nobody in particular" to the system.
_OWNERS = range((1 << 32) - 1)
# In nanoseconds what fits 64 bits of seconds, which is what file systems take.
_MTIMES_NS = range(-(10**9) << 63, 10**9 << 63)
_SIZES = range(1 << 63)
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s6s82x155s12x")
_SMALL = 1 << 16
"""What is read at once, as that is faster than in chunks."""
_HALF = BLOCK // 2
_SIGNED = struct.Struct("512b")


class TarDamaged(Exception):
    """The bytes are not a tar archive, or not all of it."""


class TarHostile(Exception):
    """A member that no backup needs and that must not be restored."""

    def __init__(self, name: bytes, reason: str) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = reason


class ByteSource(Protocol):
    """What the reader reads from: a decompressed stream."""

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only where the stream ends."""
        ...


class TarReader:
    """Iterates over the members of a tar stream; `data` gives the current one's bytes."""

    def __init__(self, source: ByteSource, allowance: Allowance) -> None:
        self._source = source
        self._allowance = allowance
        self._unread = 0
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        """Yield each file, folder or other member in order; pax and GNU extensions are applied.

        Raise TarDamaged where the stream is no whole tar archive, TarHostile
        for names, sizes, owners and times that cannot be true, LimitExceeded
        for more headers than the archive is allowed.
        """
        defaults: dict[bytes, bytes] = {}
        records: dict[bytes, bytes] = {}
        while (block := self._block()) is not None:
            self._allowance.header(BLOCK)
            member = _decode(block)
            if member.kind == PAX:
                records |= self._pax_records(member)
            elif member.kind == _PAX_GLOBAL:
                defaults |= self._pax_records(member)
            elif member.kind == _GNU_LONG_NAME:
                records[b"path"] = self._extension(member).rstrip(b"\0")
            elif member.kind == _GNU_LONG_LINK:
                records[b"linkpath"] = self._extension(member).rstrip(b"\0")
            elif member.kind == _GNU_VOLUME_LABEL:
                self._open_data(member)
                self._skip_data()
            else:
                member = _checked(_completed(member, defaults | records))
                records = {}
                self._open_data(member)
                yield member
                self._skip_data()

    def data(self, chunk_size: int = 1 << 20) -> Iterator[bytes]:
        """Yield the current member's data, in chunks of at most `chunk_size` bytes."""
        while self._unread:
            chunk = self._exactly(min(self._unread, chunk_size))
            self._unread -= len(chunk)
            yield chunk

    def _block(self) -> bytes | None:
        """Return the next header block, or None at a proper end of the archive."""
        block = self._source.read(BLOCK)
        if not block:
            raise TarDamaged("it has no end mark, so it may be only a part of an archive")
        if len(block) == BLOCK and block.strip(b"\0"):
            return block
        # Two zero blocks end an archive, and some writers make do with one. What
        # follows them, tar would not read.
        second = self._source.read(BLOCK)
        if len(block) < BLOCK or len(second) not in (0, BLOCK):
            raise TarDamaged("it ends too early")
        if second.strip(b"\0"):
            raise TarDamaged("a single zero block inside the archive")
        while rest := self._source.read(1 << 16):
            if rest.strip(b"\0"):
                raise TarHostile(b"", "data after the end of the archive, such as a second archive")
        return None

    def _pax_records(self, member: Member) -> dict[bytes, bytes]:
        """Return the records that describe a member, by key; all others are dropped."""
        content = self._extension(member)
        records: dict[bytes, bytes] = {}
        for key, value in _parse_pax(content):
            self._allowance.header(RECORD_COST)
            if key in _PAX_KEYS:
                records[key] = value
            elif key.startswith(_SPARSE_KEYS):
                records[_SPARSE_KEYS] = b"yes"
        return records

    def _extension(self, member: Member) -> bytes:
        if not 0 <= member.size <= MAX_EXTENSION:
            raise TarHostile(member.name, f"an extension header of {member.size} bytes")
        self._allowance.header(member.size)
        self._open_data(member)
        content = b"".join(self.data())
        self._skip_data()
        return content

    def _open_data(self, member: Member) -> None:
        has_data = member.kind not in (FOLDER, HARD_LINK)
        self._unread = member.size if has_data else 0
        self._padding = -self._unread % BLOCK

    def small_content(self) -> bytes | None:
        """Return all of the current member's data where that is little, else nothing of it."""
        if self._unread > _SMALL:
            return None
        size = self._unread
        content = self._exactly(size + self._padding)[:size]
        self._unread = self._padding = 0
        return content

    def _skip_data(self) -> None:
        if self._unread:
            for _ in self.data():
                pass
        if self._padding:
            self._exactly(self._padding)
            self._padding = 0

    def _exactly(self, size: int) -> bytes:
        data = self._source.read(size)
        if len(data) != size:
            raise TarDamaged("it ends too early")
        return data


def _decode(block: bytes) -> Member:
    """Return the member of one header block, of which only the checksum is checked."""
    name, mode, uid, gid, size, mtime, checksum, kind, link, magic, prefix = _FIELDS.unpack(block)
    # The checksum counts its own field as eight spaces.
    own = byte_sum(checksum) - 8 * 32
    total = byte_sum(block[:_HALF]) + byte_sum(block[_HALF:])
    if (claimed := _number(checksum)) != total - own and claimed != _signed_sum(block):
        raise TarDamaged("a header's checksum is wrong")
    name = name.partition(b"\0")[0]
    if magic == b"ustar\0" and prefix[0]:
        name = prefix.partition(b"\0")[0] + b"/" + name
    return Member(
        name=name,
        kind=FILE if kind in (_OLD_FILE, _CONTIGUOUS_FILE) else kind,
        mode=_number(mode) & 0o7777,
        uid=_number(uid),
        gid=_number(gid),
        size=_number(size),
        mtime_ns=_number(mtime) * 10**9,
        link=link.partition(b"\0")[0],
    )


def _signed_sum(block: bytes) -> int:
    """Return the checksum as some old systems count it, to which bytes above 127 are negative."""
    return sum(_SIGNED.unpack(block[:148] + b" " * 8 + block[156:]))


@lru_cache(4096)  # Most members of an archive have the same mode, owner and time.
def _number(field: bytes) -> int:
    """Return the value of a numeric field: octal, or GNU's base-256 where the top bit is set."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big")
        bits = 8 * len(field)
        # 0xff… is a negative number in two's complement, 0x80… a positive one.
        return value - (1 << bits) if field[0] & 0x40 else value - (1 << (bits - 1))
    text = field.split(b"\0", 1)[0].strip(b" ")
    if text.strip(b"01234567"):
        raise TarDamaged("a header holds a number that is not octal")
    return int(text, 8) if text else 0


def _parse_pax(content: bytes) -> Iterator[tuple[bytes, bytes]]:
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


def _completed(member: Member, records: dict[bytes, bytes]) -> Member:
    """Return `member` with the values of its extensions in place of its own."""
    if records:
        # An empty value takes back what an earlier record said.
        records = {key: value for key, value in records.items() if value}
        member = member._replace(
            name=records.get(b"path", member.name),
            kind=_SPARSE_FILE if _SPARSE_KEYS in records else member.kind,
            link=records.get(b"linkpath", member.link),
            mtime_ns=_billionths(records.get(b"mtime"), member.mtime_ns),
            size=_billionths(records.get(b"size"), member.size * 10**9) // 10**9,
            uid=_billionths(records.get(b"uid"), member.uid * 10**9) // 10**9,
            gid=_billionths(records.get(b"gid"), member.gid * 10**9) // 10**9,
        )
    # Before POSIX, a folder was a file whose name ends in a slash. Only the whole
    # name tells: where an extension has it, the header's is cut anywhere.
    if member.kind == FILE and member.name.endswith(b"/"):
        return member._replace(kind=FOLDER)
    return member


def _checked(member: Member) -> Member:
    # The slash at the end of a folder's name is none of its path.
    if len(member.name.rstrip(b"/")) > MAX_PATH:
        raise TarHostile(member.name[:100], f"a name of {len(member.name)} bytes")
    if member.size not in _SIZES:
        raise TarHostile(member.name, f"a size of {member.size} bytes")
    if member.uid not in _OWNERS or member.gid not in _OWNERS:
        raise TarHostile(member.name, f"an owner of {member.uid}:{member.gid}")
    if member.mtime_ns not in _MTIMES_NS:
        raise TarHostile(member.name, f"an mtime of {member.mtime_ns} ns")
    return member


def _billionths(text: bytes | None, default: int) -> int:
    """Return the value of a pax number such as `-1.5`, in billionths.

    `-1e-09` too: POSIX has no exponents, but Python's tarfile writes them.
    """
    if text is None:
        return default
    if not _PAX_NUMBER.fullmatch(text):
        raise TarDamaged("a pax record holds a malformed number")
    return int(Decimal(text.decode()).scaleb(9))
