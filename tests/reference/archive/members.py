"""Tar members of whatever bytes, valid or not."""

from __future__ import annotations

from typing import TypedDict, Unpack


def octal(value: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def base_256(value: int, width: int) -> bytes:
    field = value.to_bytes(width, "big", signed=True)
    return field if value < 0 else bytes([field[0] | 0x80]) + field[1:]


def header(
    name: bytes,
    kind: bytes = b"0",
    *,
    size: bytes | int = 0,
    link: bytes = b"",
    mode: bytes | int = 0o644,
    uid: bytes | int = 0,
    gid: bytes | int = 0,
    mtime: bytes | int = 1000,
) -> bytes:
    """A ustar header of whatever fields, valid or not, with the right checksum."""

    def field(value: bytes | int, width: int) -> bytes:
        return octal(value, width) if isinstance(value, int) else value

    before = name.ljust(100, b"\0") + b"".join(
        [field(mode, 8), field(uid, 8), field(gid, 8), field(size, 12), field(mtime, 12)]
    )
    after = kind + link.ljust(100, b"\0") + b"ustar\x0000"
    after = after.ljust(512 - 156, b"\0")
    return before + b"%06o\0 " % (sum(before) + sum(after) + 8 * 32) + after


class HeaderFields(TypedDict, total=False):
    """Fields of a header besides its name; numbers also as the bytes that are to stand there."""

    kind: bytes
    size: bytes | int
    link: bytes
    mode: bytes | int
    uid: bytes | int
    gid: bytes | int
    mtime: bytes | int


def member(name: bytes, content: bytes = b"", **fields: Unpack[HeaderFields]) -> bytes:
    """Return a member's header and content, by default of the size that it has."""
    fields.setdefault("size", len(content))
    return header(name, **fields) + content + bytes(-len(content) % 512)


def pax(*records: bytes) -> bytes:
    return member(b"pax", b"".join(records), kind=b"x")


def record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    size = len(body) + 1
    while len(b"%d" % size) + len(body) != size:
        size += 1
    return b"%d" % size + body


END = bytes(1024)

TABLES = member(b"tables/t/current.csv", b"k|v\n")
