"""Tables on disk as contract `last` says they are to be read, by a stranger to the port.

Nothing of `reedbase_backup.last` is used here, so that it is judged by another
reading of the same document. Plain and slow on purpose.
"""

from __future__ import annotations

import errno
import lzma
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reedbase_backup.types import U64_MAX

_I64_MAX = 2**63 - 1
CONTROL = struct.Struct("<QQQ")
"""The three numbers before each record of a bsdiff stream."""
# What Python says where the baseline says that.
_XZ_REASONS = {
    "Input format not supported by decoder": "stream/file format not recognized",
    "Invalid or unsupported options": "invalid options",
}
# Python's white space but for U+001C to U+001F, which Rust's has not.
_BLANK = re.compile(r"[^\S\x1c-\x1f]*")
_NUMBER = re.compile(r"\+?0*([0-9]{1,20})", re.ASCII)
_ADDED = re.compile(rb"(\n?)" + rb"\|".join([rb"(0|[1-9][0-9]{0,19})"] * 4) + rb"\n")
_FIELDS = (
    ("timestamp", U64_MAX),
    ("action code", 2**8 - 1),
    ("user code", 2**32 - 1),
    ("delta size", U64_MAX),
)


@dataclass(eq=False)
class Unreadable(Exception):
    """A table's version cannot be had: the ReedError variant's name and fields."""

    kind: str
    fields: Mapping[str, object]
    delta: int = 0
    """Which delta it is, counted in the log's order; 0 for the first one, which is copied."""

    def __str__(self) -> str:
        return f"{self.kind} {dict(self.fields)}"


@dataclass(frozen=True, slots=True)
class Version:
    """One line of version.log."""

    timestamp: int
    action: int
    user: int
    size: int


@dataclass(frozen=True, slots=True)
class AddedVersion:
    """The line by which a version.log has grown."""

    version: Version
    separator: bytes
    """What stands before it: nothing, or a line feed."""


@dataclass(frozen=True, slots=True)
class TableFolder:
    """A table's folder, and what is in it by contract `last`, "On disk"."""

    path: Path

    @property
    def name(self) -> str:
        """The table's name."""
        return self.path.name

    @property
    def reported_name(self) -> str:
        """The name in reports, where what is not UTF-8 is U+FFFD."""
        return os.fsencode(self.name).decode("utf-8", "replace")

    @property
    def current(self) -> Path:
        """Where the current content is."""
        return self.path / "current.csv"

    @property
    def log(self) -> Path:
        """Where the versions are listed."""
        return self.path / "version.log"

    def delta(self, timestamp: int) -> Path:
        """Return where a version's delta is."""
        return self.path / f"{timestamp}.bsdiff"

    def versions(self) -> list[Version]:
        """Return the log's versions, in its order. Raise Unreadable (LogCorrupted)."""
        try:
            content = self.log.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unreadable("LogCorrupted", {"reason": os_reason(error.errno)}) from None
        return parse_log(content)

    def newest_at_or_before(self, target: int) -> Version | None:
        """Return the version that a restore to `target` takes; the oldest line of equal ones."""
        candidates = [version for version in self.versions() if version.timestamp <= target]
        return max(candidates, key=lambda version: version.timestamp, default=None)

    def content(self, timestamp: int) -> bytes:
        """Return a version's content, by the deltas alone. Raise Unreadable."""
        *_, content = self.contents(timestamp)
        return content

    def contents(self, timestamp: int) -> Iterator[bytes]:
        """Yield the content of each version on the way to this one.

        Raise Unreadable at the first delta that cannot be used.
        """
        stamps = [version.timestamp for version in self.versions()]
        first, *later = stamps[: stamps.index(timestamp) + 1]
        content = self._first(first)
        yield content
        for number, stamp in enumerate(later, 1):
            try:
                stored = self._stored(stamp, f"read_delta_file: {self.delta(stamp)}")
                content = patched(content, decompressed(stored))
            except Unreadable as error:
                raise replace(error, delta=number) from None
            yield content

    def _first(self, timestamp: int) -> bytes:
        """Return the first delta, which is copied as it is; Rust copies nothing but files."""
        if self.delta(timestamp).is_dir():
            fields = {"operation": "copy_init_delta", "reason": NOT_A_FILE}
            raise Unreadable("IoError", fields)
        return self._stored(timestamp, "copy_init_delta")

    def _stored(self, timestamp: int, operation: str) -> bytes:
        try:
            return self.delta(timestamp).read_bytes()
        except OSError as error:
            raise Unreadable(
                "IoError", {"operation": operation, "reason": os_reason(error.errno)}
            ) from None


def tables_of(base: Path) -> dict[str, TableFolder]:
    """Return the folders directly under tables/, by name; files and symlinks are none."""
    children = sorted((base / "tables").iterdir())
    return {
        child.name: TableFolder(child)
        for child in children
        if child.is_dir() and not child.is_symlink()
    }


def os_reason(number: int | None) -> str:
    """Return an error number as Rust formats it, as in `Is a directory (os error 21)`."""
    assert number is not None
    return f"{os.strerror(number)} (os error {number})"


NO_SUCH_FILE = os_reason(errno.ENOENT)
FILE_EXISTS = os_reason(errno.EEXIST)
IS_A_FOLDER = os_reason(errno.EISDIR)
NOT_A_FILE = "the source path is neither a regular file nor a symlink to a regular file"
NO_FOLDER = os_reason(errno.ENOTDIR)


def parse_log(content: bytes) -> list[Version]:
    """Return the versions in version.log ("restore" 2), up to the first bad line, which decides.

    Raise Unreadable (LogCorrupted).
    """
    versions = []
    for number, line in enumerate(rust_lines(content), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            reason = "stream did not contain valid UTF-8"
            raise Unreadable("LogCorrupted", {"reason": reason}) from None
        if _BLANK.fullmatch(text):
            continue
        parts = text.split("|")
        if len(parts) < len(_FIELDS):
            raise _invalid("format", number)
        versions.append(Version(*_numbers(parts, number)))
    return versions


def added_version(before: bytes, after: bytes) -> AddedVersion | None:
    """Return the line by which a version.log grew; None where it changed in any other way."""
    line = _ADDED.fullmatch(after[len(before) :]) if after.startswith(before) else None
    if line is None:
        return None
    separator, *numbers = line.groups()
    return AddedVersion(Version(*map(int, numbers)), separator)


def rust_lines(content: bytes) -> list[bytes]:
    """Return the lines as Rust ends them: by LF or CRLF, and never by a lone CR."""
    *ended, last = content.split(b"\n")
    return [*(line.removesuffix(b"\r") for line in ended), *([last] if last else [])]


def rust_number(text: str, limit: int) -> int | None:
    """Return `text` as Rust reads an unsigned integer up to `limit`; None where it does not."""
    number = _NUMBER.fullmatch(text)
    return int(number[1]) if number and int(number[1]) <= limit else None


def decompressed(stored: bytes) -> bytes:
    """Return the stream in a delta, which is one of xz. Raise Unreadable (DecompressionFailed)."""
    reader = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
    try:
        stream = reader.decompress(stored)
    except lzma.LZMAError as error:
        raise _undecodable(_XZ_REASONS.get(str(error), "lzma data error")) from None
    if not reader.eof:
        raise _undecodable("premature eof")
    if reader.unused_data:
        raise _undecodable("corrupt xz stream")
    return stream


def patched(old: bytes, stream: bytes) -> bytes:
    """Return what a bsdiff stream makes of `old`. Raise Unreadable (DeltaApplicationFailed)."""
    new = bytearray()
    at = position = 0
    while at < len(stream):
        header = stream[at : at + CONTROL.size]
        if len(header) < CONTROL.size:
            raise _unfit("UnexpectedEof")
        mix, extra, seek = CONTROL.unpack(header)
        if mix + extra > U64_MAX:
            raise _unfit("InvalidData")
        at += CONTROL.size
        if len(stream) < at + mix + extra or len(old) < position + mix:
            raise _unfit("UnexpectedEof")
        added = zip(stream[at : at + mix], old[position : position + mix], strict=True)
        new += bytes((one + other) % 256 for one, other in added)
        new += stream[at + mix : at + mix + extra]
        at += mix + extra
        position += mix + (seek if seek <= _I64_MAX else _I64_MAX + 1 - seek)
        if not 0 <= position <= _I64_MAX:
            raise _unfit("InvalidData")
    return bytes(new)


def is_delta_between(old: bytes, new: bytes, stored: bytes, size: int) -> bool:
    """Return whether a delta has the size in its log line, and makes `new` of `old`."""
    try:
        return len(stored) == size and patched(old, decompressed(stored)) == new
    except Unreadable:
        return False


def _numbers(parts: Sequence[str], line: int) -> list[int]:
    numbers = []
    for text, (name, limit) in zip(parts, _FIELDS, strict=False):
        number = rust_number(text, limit)
        if number is None:
            raise _invalid(name, line)
        numbers.append(number)
    return numbers


def _invalid(what: str, line: int) -> Unreadable:
    return Unreadable("LogCorrupted", {"reason": f"Invalid {what} at line {line}"})


def _undecodable(reason: str) -> Unreadable:
    return Unreadable("DecompressionFailed", {"reason": f"XZ read error: {reason}"})


def _unfit(kind: str) -> Unreadable:
    return Unreadable("DeltaApplicationFailed", {"reason": f"bspatch error: Kind({kind})"})
