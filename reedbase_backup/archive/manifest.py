"""The manifest: our own member of an archive, a line for every folder and file in it.

    reedbackup manifest 1
    SHA-256 (or -) SIZE MTIME_NS NAME

ustar headers keep whole seconds and no checksum of the content; here are both.
A backslash in a name is written `\\\\`, a line feed `\\n`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

NAME = b".reedbackup/manifest"
"""The member's name: outside tables/ and indices/ (contract `ticket`, create/content)."""

NO_DIGEST = b"-"
"""In place of the SHA-256 of a folder."""

_TITLE = b"reedbackup manifest 1\n"
# A digest, two 64-bit numbers with a sign, four separators.
_MAX_BESIDE_NAME = 64 + 20 + 21 + 4


class ManifestDamaged(Exception):
    """The manifest is not one, or does not fit what the archive holds."""


class Record(NamedTuple):
    """What the manifest says of one folder or file."""

    digest: bytes
    """SHA-256 of the content in hexadecimal, or NO_DIGEST."""
    size: int
    mtime_ns: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's."""
        return self.digest == NO_DIGEST


def line(name: bytes, digest: bytes, size: int, mtime_ns: int) -> bytes:
    """Return what the manifest says of one folder or file."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return b"%b %d %d %b\n" % (digest, size, mtime_ns, escaped)


def encode(lines: list[bytes]) -> bytes:
    """Return the manifest of these lines."""
    return _TITLE + b"".join(lines)


def max_size(names: dict[str, Record]) -> int:
    """Return the size in bytes that no sound manifest of these names exceeds."""
    return len(_TITLE) + sum(_MAX_BESIDE_NAME + 2 * len(os.fsencode(name)) for name in names)


def verify(manifest: bytes, records: dict[str, Record]) -> None:
    """Compare what was read with the manifest, and give it the manifest's exact mtimes.

    `found` has the mtimes as tar headers do, some of them in whole seconds.
    Raise ManifestDamaged.
    """
    missing = set(records)
    for name, record in _parsed(manifest):
        if name not in missing:
            raise ManifestDamaged("its manifest names other files than it holds")
        missing.remove(name)
        if (record.digest, record.size) != (records[name].digest, records[name].size):
            raise ManifestDamaged(f"the content of {name} is not as backed up")
        if record.mtime_ns // 10**9 != records[name].mtime_ns // 10**9:
            raise ManifestDamaged(f"the time of {name} is not as backed up")
        records[name] = record
    if missing:
        raise ManifestDamaged("its manifest names other files than it holds")


def _parsed(manifest: bytes) -> Iterator[tuple[str, Record]]:
    if not manifest.startswith(_TITLE):
        raise ManifestDamaged("its manifest has an unknown format; was it made by a newer version?")
    try:
        for line in BytesIO(manifest[len(_TITLE) :]):
            digest, size, mtime_ns, name = line.removesuffix(b"\n").split(b" ", 3)
            yield os.fsdecode(_unescaped(name)), Record(digest, int(size), int(mtime_ns))
    except ValueError as error:
        raise ManifestDamaged("its manifest is malformed") from error


def _unescaped(name: bytes) -> bytes:
    if b"\\" not in name:
        return name
    pieces = name.split(b"\\\\")
    return b"\\".join(piece.replace(b"\\n", b"\n") for piece in pieces)
