"""The manifest: our own member of an archive, a line for every folder and file in it.

    reedbackup manifest 1
    SHA-256 (or -) SIZE MTIME_NS NAME

ustar headers keep whole seconds and no checksum of the content; here are both.
A backslash in a name is written `\\\\`, a line feed `\\n`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

NAME = b".reedbackup/manifest"
"""The member's name: outside tables/ and indices/ (contract `ticket`, create/content)."""

NO_DIGEST = "-"
"""In place of the SHA-256 of a folder."""

UNREAD = ""
"""In place of the SHA-256 of a file that was passed over, until `verify`."""

TITLE = b"reedbackup manifest 1\n"
"""Its first line."""

# As os.fsdecode decodes names, which takes six times as long.
ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

# As numbers they are looked for in an eighth of the time.
_BACKSLASH, _LINE_FEED = b"\\\n"

# A digest, two 64-bit numbers with a sign, four separators.
_MAX_BESIDE_NAME = 64 + 20 + 21 + 4
# Of a name's character: four bytes (RFC 3629), of which a backslash before each makes two.
_MAX_OF_CHARACTER = 4 * 2


class ManifestDamaged(Exception):
    """The manifest is not one, or does not fit what the archive holds."""


@dataclass(slots=True)
class Record:
    """What the manifest says of one folder or file. (A named tuple takes four times as long.)"""

    digest: str
    """SHA-256 of the content in hexadecimal, NO_DIGEST, or UNREAD."""
    size: int
    mtime_ns: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's."""
        return self.digest == NO_DIGEST


def line(name: bytes, digest: str, size: int, mtime_ns: int) -> bytes:
    """Return what the manifest says of one folder or file."""
    if _BACKSLASH in name or _LINE_FEED in name:
        name = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return b"%b %d %d %b\n" % (digest.encode(), size, mtime_ns, name)


def max_size(names: dict[str, Record]) -> int:
    """Return the size in bytes that no sound manifest of these names exceeds."""
    return len(TITLE) + len(names) * _MAX_BESIDE_NAME + _MAX_OF_CHARACTER * sum(map(len, names))


def verify(manifest: bytes, records: dict[str, Record]) -> None:
    """Compare what was read with the manifest, and give it the manifest's exact mtimes.

    `records` have the mtimes as tar headers do, some of them in whole seconds. Of what was
    not read, they get the manifest's digest.
    Raise ManifestDamaged.
    """
    missing = dict(records)
    for name, digest, size, mtime_ns in _parsed(manifest):
        found = missing.pop(name, None)
        if found is None:
            raise ManifestDamaged("its manifest names other files than it holds")
        if found.digest == UNREAD:
            found.digest = digest
        if digest != found.digest or size != found.size:
            raise ManifestDamaged(f"the content of {name} is not as backed up")
        if mtime_ns // 10**9 != found.mtime_ns // 10**9:
            raise ManifestDamaged(f"the time of {name} is not as backed up")
        found.mtime_ns = mtime_ns
    if missing:
        raise ManifestDamaged("its manifest names other files than it holds")


def _parsed(manifest: bytes) -> Iterator[tuple[str, str, int, int]]:
    """Yield names with what is said of them: digest, size and mtime in ns."""
    if not manifest.startswith(TITLE):
        raise ManifestDamaged("its manifest has an unknown format; was it made by a newer version?")
    lines = BytesIO(manifest)
    lines.readline()
    try:
        for line in lines:
            text = line.decode(ENCODING, ERRORS).removesuffix("\n")
            digest, size, mtime_ns, name = text.split(" ", 3)
            yield _unescaped(name) if "\\" in name else name, digest, int(size), int(mtime_ns)
    except ValueError as error:
        raise ManifestDamaged("its manifest is malformed") from error


def _unescaped(name: str) -> str:
    pieces = name.split("\\\\")
    return "\\".join(piece.replace("\\n", "\n") for piece in pieces)
