"""How much an archive of so many bytes may make its reader keep and do.

Deflate makes 1,032 bytes of one, and a name of 4,000 bytes implies 2,000 folders:
without limits, an archive of a few KB takes a gigabyte and minutes. The limits
grow with the archive, so that a backup may be of any size. Each has been held
against the most compressible archives that ordinary programs make (a million empty
files of one table under `gzip -9`): those need at most 90 and 190 for a byte.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PATH = 4095
"""The longest name of a member, in bytes: Linux opens no longer path."""

MAX_EXTENSION = 1 << 20
"""The longest pax header or GNU long name, in bytes."""

MAX_GZIP_TEXT = 1 << 16
"""The longest file name or comment in a gzip header, in bytes."""

FREE_NAMES = 32 << 20
NAMES_PER_BYTE = 128
"""What all files and folders, those too that only a path implies, may cost: memory."""

NAME_COST = 512
"""What a name costs beside its length: about the bytes of memory that it takes."""

FREE_HEADERS = 16 << 20
HEADERS_PER_BYTE = 256
"""What all headers and extensions may cost: time."""

RECORD_COST = 64
"""What a pax record costs beside its length."""

CONTENT_PER_BYTE = 1032
"""What deflate makes of zeros (RFC 1951: 258 bytes in 2 bits), and no file exceeds."""

FREE_LINKED = 64 << 20
"""How much hard links may repeat, beside as much again as all files may have."""


class LimitExceeded(Exception):
    """The archive wants more than one of its size can need."""


@dataclass(slots=True)
class Allowance:
    """What an archive may still cost. Each method raises LimitExceeded."""

    names: int
    headers: int
    content: int
    linked: int

    @classmethod
    def of(cls, archive_bytes: int) -> Allowance:
        """Return the allowance of an archive file of so many bytes."""
        return cls(
            FREE_NAMES + NAMES_PER_BYTE * archive_bytes,
            FREE_HEADERS + HEADERS_PER_BYTE * archive_bytes,
            CONTENT_PER_BYTE * archive_bytes,
            FREE_LINKED + CONTENT_PER_BYTE * archive_bytes,
        )

    def name(self, length: int) -> None:
        """Charge one more file or folder, whose path has `length` characters."""
        self.names -= NAME_COST + length
        if self.names < 0:
            raise LimitExceeded("more files and folders than an archive of its size can need")

    def header(self, size: int) -> None:
        """Charge `size` more bytes of headers."""
        self.headers -= size
        if self.headers < 0:
            raise LimitExceeded("more headers than an archive of its size can need")

    def file(self, length: int, size: int) -> None:
        """Do what `name` does for a file, which claims to hold `size` bytes."""
        self.name(length)
        self.content -= size
        if self.content < 0:
            raise LimitExceeded(f"files of {size} bytes and more, which it cannot hold")

    def link(self, size: int) -> None:
        """Charge one more hard link, which repeats `size` bytes."""
        self.linked -= size
        if self.linked < 0:
            raise LimitExceeded("hard links that make more of it than its size allows")
