"""Damage to version.log and to deltas: what contract `last` accepts, and what it refuses.

The recordings of the baseline have each of them (contract `last`, "restore" 2).
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Mapping, Sequence

from pytest_reedbackup.views.tables import CONTROL
from reedbase_backup.types import U64_MAX

Fields = Sequence[str]
"""Of a line of version.log: timestamp, action, user, size."""
Line = Callable[[Fields], str]
"""Makes another line of a sound one."""
Log = Callable[[bytes], bytes]
"""Makes another log of a sound one."""
Delta = Callable[[bytes], bytes]
"""Makes another stored delta of a sound one."""

_SIGN = 1 << 63
_ARABIC_123 = "\u0661\u0662\u0663"


def _with(position: int, text: str) -> Line:
    return lambda fields: "|".join([*fields[:position], text, *fields[position + 1 :]])


def _prefixed(position: int, text: str) -> Line:
    return lambda fields: _with(position, f"{text}{fields[position]}")(fields)


# Lines of version.log ----------------------------------------------------------

ACCEPTED_LINES: Mapping[str, Line] = {
    "five-fields": lambda fields: "|".join([*fields, "a message"]),
    "six-fields": lambda fields: "|".join([*fields, "a", "b"]),
    "empty-fifth-field": lambda fields: "|".join([*fields, ""]),
    "plus-before-the-timestamp": _prefixed(0, "+"),
    "zeros-before-the-timestamp": _prefixed(0, "000"),
    "plus-and-zeros": _prefixed(0, "+0"),
    "plus-before-the-action": _prefixed(1, "+"),
    "zeros-before-the-action": _prefixed(1, "00"),
    "unknown-action": _with(1, "77"),
    "largest-action": _with(1, "255"),
    "plus-before-the-user": _prefixed(2, "+"),
    "unknown-user": _with(2, "4000000000"),
    "largest-user": _with(2, "4294967295"),
    "wrong-size": _with(3, "1"),
    "size-zero": _with(3, "0"),
    "largest-size": _with(3, str(U64_MAX)),
}
"""Lines that mean the same as the sound one."""

REFUSED_LINES: Mapping[str, tuple[str, Line]] = {
    "one-field": ("format", lambda fields: fields[0]),
    "two-fields": ("format", lambda fields: "|".join(fields[:2])),
    "three-fields": ("format", lambda fields: "|".join(fields[:3])),
    "other-separator": ("format", lambda fields: ";".join(fields)),
    "timestamp-word": ("timestamp", _with(0, "abc")),
    "timestamp-empty": ("timestamp", _with(0, "")),
    "timestamp-negative": ("timestamp", _with(0, "-5")),
    "timestamp-minus-zero": ("timestamp", _with(0, "-0")),
    "timestamp-only-a-plus": ("timestamp", _with(0, "+")),
    "timestamp-two-plus": ("timestamp", _prefixed(0, "++")),
    "timestamp-space-before": ("timestamp", _prefixed(0, " ")),
    "timestamp-space-after": ("timestamp", lambda f: _with(0, f"{f[0]} ")(f)),
    "timestamp-hexadecimal": ("timestamp", _with(0, "0x10")),
    "timestamp-underscore": ("timestamp", _with(0, "1_000")),
    "timestamp-fraction": ("timestamp", _with(0, "1.5")),
    "timestamp-arabic-digits": ("timestamp", _with(0, _ARABIC_123)),
    "timestamp-over-u64": ("timestamp", _with(0, str(U64_MAX + 1))),
    "timestamp-nul": ("timestamp", _with(0, "\0")),
    "timestamp-byte-order-mark": ("timestamp", _prefixed(0, "\ufeff")),
    "action-word": ("action code", _with(1, "x")),
    "action-empty": ("action code", _with(1, "")),
    "action-negative": ("action code", _with(1, "-1")),
    "action-over-u8": ("action code", _with(1, "256")),
    "action-space": ("action code", _prefixed(1, " ")),
    "user-word": ("user code", _with(2, "x")),
    "user-empty": ("user code", _with(2, "")),
    "user-negative": ("user code", _with(2, "-1")),
    "user-over-u32": ("user code", _with(2, "4294967296")),
    "size-word": ("delta size", _with(3, "zz")),
    "size-empty": ("delta size", _with(3, "")),
    "size-negative": ("delta size", _with(3, "-1")),
    "size-over-u64": ("delta size", _with(3, str(U64_MAX + 1))),
    "size-space-after": ("delta size", lambda f: _with(3, f"{f[3]} ")(f)),
    "timestamp-before-action": ("timestamp", lambda f: "|".join(["x", "y", *f[2:]])),
    "user-before-size": ("user code", lambda f: "|".join([*f[:2], "x", "y"])),
}
"""Lines that cannot be read, and the first part of them that cannot."""


def line_changed(log: bytes, number: int, line: Line) -> bytes:
    """Return the log with another line in the place of line `number`, counted from 1.

    Bytes that are not UTF-8 are in the line as lone surrogates (PEP 383).
    """
    lines = log.decode("utf-8", "surrogateescape").split("\n")
    lines[number - 1] = line(lines[number - 1].split("|"))
    return "\n".join(lines).encode("utf-8", "surrogateescape")


# Whole logs --------------------------------------------------------------------

NO_VERSIONS: Mapping[str, Log] = {
    "empty": lambda log: b"",
    "blank-lines": lambda log: b"\n\n",
    "spaces": lambda log: b"  \n \n",
    "one-crlf": lambda log: b"\r\n",
}
"""Logs without a version."""

ACCEPTED_LOGS: Mapping[str, Log] = {
    "crlf": lambda log: log.replace(b"\n", b"\r\n"),
    "mixed-line-ends": lambda log: log.replace(b"\n", b"\r\n", 1),
    "blank-lines": lambda log: log.replace(b"\n", b"\n\n"),
    "lines-of-spaces": lambda log: log.replace(b"\n", b"\n   \n"),
    "blank-lines-first": lambda log: b"\n\r\n" + log,
    "blank-lines-last": lambda log: log + b"\n\n",
}
"""Logs that mean the same as the sound one."""

REFUSED_LOGS: Mapping[str, tuple[str, Log]] = {
    "lone-carriage-returns": (
        "Invalid delta size at line 1",
        lambda log: log.replace(b"\n", b"\r"),
    ),
    "byte-order-mark": ("Invalid timestamp at line 1", lambda log: b"\xef\xbb\xbf" + log),
    "not-utf-8": (
        "stream did not contain valid UTF-8",
        lambda log: log.replace(b"\n", b"\n\xff\xfe|2|0|5\n", 1),
    ),
    "latin-1-in-the-fifth-field": (
        "stream did not contain valid UTF-8",
        lambda log: log.replace(b"\n", b"|\xe9\n", 1),
    ),
}
"""Logs that cannot be read, and LogCorrupted's reason."""


def half_last_line(log: bytes) -> bytes:
    """Return the log as a writer leaves it who dies midway."""
    return log[: log.rstrip(b"\n").rindex(b"\n") + 13]


# Deltas ------------------------------------------------------------------------


def xz(stream: bytes, check: int = -1) -> bytes:
    """Return a stream as a delta holds it; `check` is one of lzma's checksums."""
    return lzma.compress(stream, format=lzma.FORMAT_XZ, check=check, preset=0)


def record(mix: int, extra: bytes = b"", seek: int = 0, mixed: bytes = b"") -> bytes:
    """Return one record of a bsdiff stream; `mix` may say more than `mixed` holds."""
    return CONTROL.pack(mix, len(extra), abs(seek) | (seek < 0) << 63) + mixed + extra


def _flipped(position: int) -> Delta:
    def flip(delta: bytes) -> bytes:
        at = position % len(delta)
        return delta[:at] + bytes([delta[at] ^ 0x01]) + delta[at + 1 :]

    return flip


UNDECODABLE: Mapping[str, tuple[str, Delta]] = {
    "empty": ("premature eof", lambda delta: b""),
    "no-more-than-a-header": ("premature eof", lambda delta: delta[:12]),
    "half": ("premature eof", lambda delta: delta[: len(delta) // 2]),
    "one-byte-short": ("premature eof", lambda delta: delta[:-1]),
    "a-word": ("premature eof", lambda delta: b"hello"),
    "trailing-bytes": ("corrupt xz stream", lambda delta: delta + b"trailing"),
    "trailing-zeros": ("corrupt xz stream", lambda delta: delta + bytes(8)),
    "two-streams": ("corrupt xz stream", lambda delta: delta + xz(b"")),
    "magic-zeroed": ("stream/file format not recognized", lambda delta: b"\0" + delta[1:]),
    "magic-flipped": ("stream/file format not recognized", _flipped(3)),
    "lzma-alone": (
        "stream/file format not recognized",
        lambda delta: lzma.compress(lzma.decompress(delta), format=lzma.FORMAT_ALONE),
    ),
    "flags-flipped": ("lzma data error", _flipped(7)),
    "block-header-flipped": ("lzma data error", _flipped(17)),
    "data-flipped": ("lzma data error", _flipped(29)),
    "index-flipped": ("lzma data error", _flipped(-20)),
    "footer-flipped": ("lzma data error", _flipped(-9)),
}
"""What is not exactly one xz stream, and how DecompressionFailed's reason ends."""

UNFIT: Mapping[str, tuple[str, Delta]] = {
    "short-control": ("UnexpectedEof", lambda delta: xz(b"\x01" * 5)),
    "junk": ("UnexpectedEof", lambda delta: xz(b"\x01" * 40)),
    "past-the-end": (
        "UnexpectedEof",
        lambda delta: xz(record(1 << 20, mixed=bytes(1 << 20))),
    ),
    "mix-that-is-not-there": ("UnexpectedEof", lambda delta: xz(record(5, mixed=b"abc"))),
    "negative-mix": ("UnexpectedEof", lambda delta: xz(CONTROL.pack(5 | _SIGN, 0, 0))),
    "minus-zero-mix": ("UnexpectedEof", lambda delta: xz(CONTROL.pack(_SIGN, 0, 0))),
    "extra-that-is-not-there": ("UnexpectedEof", lambda delta: xz(CONTROL.pack(0, 9, 0) + b"a")),
    "seek-before-the-start": (
        "InvalidData",
        lambda delta: xz(record(0, seek=-9) + record(1, mixed=b"x")),
    ),
    "second-record-cut": (
        "UnexpectedEof",
        lambda delta: xz(record(0, b"key|value\n") + bytes(23)),
    ),
}
"""Streams that do not fit what they are applied to, and the kind in the reason."""

ACCEPTED_DELTAS: Mapping[str, tuple[Delta, bytes]] = {
    "empty-stream": (lambda delta: xz(b""), b""),
    "empty-record": (lambda delta: xz(bytes(24)), b""),
    "extra-only": (lambda delta: xz(record(0, b"a|b")), b"a|b"),
    "two-records": (
        lambda delta: xz(record(0, b"key|") + record(0, b"value\n")),
        b"key|value\n",
    ),
    "back-to-the-start": (
        lambda delta: xz(record(3, mixed=bytes(3), seek=-3) + record(3, mixed=bytes(3))),
        b"keykey",
    ),
    "every-byte-mixed": (
        lambda delta: xz(record(3, mixed=bytes([1, 255, 0]))),
        bytes([ord("k") + 1, ord("e") - 1, ord("y")]),
    ),
}
"""Deltas that fit any content that begins with `key`, and what they make of it."""
