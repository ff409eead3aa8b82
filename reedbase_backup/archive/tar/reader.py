"""Reading tar archives of anybody, with nothing in them trusted.

v7, ustar, GNU and pax headers are understood. What a member is allowed to be
called and to do is for `admission` to judge; here go only claims that no sound
archive makes of its own structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from reedbase_backup.archive.limits import MAX_EXTENSION, MAX_PATH, RECORD_COST, Allowance
from reedbase_backup.archive.tar.fields import (
    File,
    Series,
    TarDamaged,
    billionths,
    decode,
    parse_pax,
)
from reedbase_backup.archive.tar.header import BLOCK, FILE, FOLDER, HARD_LINK, PAX, Member

_PAX_GLOBAL = b"g"
_GNU_LONG_NAME = b"L"
_GNU_LONG_LINK = b"K"
_GNU_VOLUME_LABEL = b"V"
_SPARSE_FILE = b"S"
_EXTENSIONS = (PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK, _GNU_VOLUME_LABEL)
"""What describes other members, or the whole volume, and is none itself."""

_PAX_KEYS = (b"path", b"linkpath", b"mtime", b"size", b"uid", b"gid")
_SPARSE_KEYS = b"GNU.sparse"
# The last 32-bit number means "nobody in particular" to the system.
_OWNERS = range((1 << 32) - 1)
# In nanoseconds what fits 64 bits of seconds, which is what file systems take.
_MTIMES_NS = range(-(10**9) << 63, 10**9 << 63)
_SIZES = range(1 << 63)


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

    @property
    def at_hand(self) -> tuple[bytes, int]:
        """Bytes that are there, and where among them those are that `read` gives next."""
        ...

    def skip(self, size: int) -> None:
        """Leave out the next `size` bytes, which are at hand."""
        ...


class TarReader:
    """Iterates over the members of a tar stream; `data` gives the current one's bytes."""

    def __init__(self, source: ByteSource, allowance: Allowance) -> None:
        self._source = source
        self._allowance = allowance
        self._series: Series | None = None
        """Of the current member and those that may be like it."""
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
            member = decode(block)
            if member.kind in _EXTENSIONS:
                self._extend(member, records, defaults)
                continue
            extensions = defaults | records
            member = _checked(_completed(member, extensions))
            self._series = None if extensions else Series.begun(block, member)
            records.clear()
            self._open_data(member)
            yield member
            if self._unread or self._padding:
                self._skip_data()

    def _extend(
        self, member: Member, records: dict[bytes, bytes], defaults: dict[bytes, bytes]
    ) -> None:
        """Note what the extension `member` says of the next member, or by default of all."""
        if member.kind == PAX:
            records |= self._pax_records(member)
        elif member.kind == _PAX_GLOBAL:
            defaults |= self._pax_records(member)
        elif member.kind == _GNU_LONG_NAME:
            records[b"path"] = self._extension(member).rstrip(b"\0")
        elif member.kind == _GNU_LONG_LINK:
            records[b"linkpath"] = self._extension(member).rstrip(b"\0")
        else:
            self._open_data(member)
            self._skip_data()

    def alike(self) -> list[File]:
        """Return what is at hand of the files beside the current one and like it.

        They follow at once, and are passed over: the iteration goes on after them. What of
        the current one's data was not read is lost. Raise as the iteration does.
        """
        self._skip_data()
        if self._series is None:
            return []
        data, start = self._source.at_hand
        files, end = self._series.files(data, start)
        self._source.skip(end - start)
        self._allowance.header(BLOCK * len(files))
        return files

    def data(self, chunk_size: int = 1 << 18) -> Iterator[bytes]:
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
        # Of a header, the first byte tells at once: it is the name's.
        if len(block) == BLOCK and (block[0] or block.strip(b"\0")):
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
        for key, value in parse_pax(content):
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

    @property
    def left(self) -> int:
        """How many bytes are to come before the next member."""
        return self._unread + self._padding

    def passed_over(self) -> None:
        """Take it that all that was `left` has been passed over in the stream."""
        self._unread = self._padding = 0

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


def _completed(member: Member, records: dict[bytes, bytes]) -> Member:
    """Return `member` with the values of its extensions in place of its own."""
    if records:
        # An empty value takes back what an earlier record said.
        records = {key: value for key, value in records.items() if value}
        member = replace(
            member,
            name=records.get(b"path", member.name),
            kind=_SPARSE_FILE if _SPARSE_KEYS in records else member.kind,
            link=records.get(b"linkpath", member.link),
            mtime_ns=billionths(records.get(b"mtime"), member.mtime_ns),
            size=billionths(records.get(b"size"), member.size * 10**9) // 10**9,
            uid=billionths(records.get(b"uid"), member.uid * 10**9) // 10**9,
            gid=billionths(records.get(b"gid"), member.gid * 10**9) // 10**9,
        )
    # Before POSIX, a folder was a file whose name ends in a slash. Only the whole
    # name tells: where an extension has it, the header's is cut anywhere.
    if member.kind == FILE and member.name.endswith(b"/"):
        return replace(member, kind=FOLDER)
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
