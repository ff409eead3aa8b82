"""The state of a base as a digest: the same on another machine and another day.

Modes, kinds and contents count; times do not. Of an archive counts what is
packed in it: compressors differ from one machine to the next, and so do the
times and owners that tar writes down.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from functools import lru_cache
from pathlib import Path

from pytest_reedbackup.databases.tree import ROOT, Entry, Tree

_ARCHIVE = ".tar.gz"
_GZIP = 31
_BLOCK = 512
_SIZE = slice(124, 136)
# uid, gid; mtime, checksum; names of user and group (POSIX, ustar).
_OF_THE_MOMENT = (slice(108, 124), slice(136, 156), slice(265, 329))
_AROUND = "{around}"


def digest(base: Path, around: Path) -> str:
    """The digest of all that is below `base`; links into `around` count as relative ones."""
    total = hashlib.sha256()
    for path, entry in sorted(Tree.read(base).entries.items()):
        content = _content(base / path, entry, around)
        mode = "" if entry.kind == "symlink" or path == ROOT else f"{entry.mode:o}"
        for part in (path, entry.kind, mode, content):
            total.update(os.fsencode(part) + b"\0")
    return total.hexdigest()[:32]


def _content(path: Path, entry: Entry, around: Path) -> str:
    if entry.kind == "symlink":
        return entry.content.replace(str(around), _AROUND)
    if entry.kind == "file" and path.name.endswith(_ARCHIVE) and entry.size:
        return _packed(entry.content, path)
    return entry.content


def _packed(sha256: str, path: Path) -> str:
    """The digest of what an archive holds; of anything else, that of its bytes."""
    if sha256 not in _known:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        _known[sha256] = _digest_of_archive(path.read_bytes()) or sha256
    return _known[sha256]


_MOST_KNOWN = 10_000
_known: dict[str, str] = {}


def _digest_of_archive(content: bytes) -> str:
    inflate = zlib.decompressobj(_GZIP)
    try:
        plain = bytearray(inflate.decompress(content))
    except zlib.error:
        return ""
    if not inflate.eof or inflate.unused_data:
        return ""
    at = 0
    while at + _BLOCK <= len(plain):
        size = _octal(bytes(plain[at + _SIZE.start : at + _SIZE.stop])) if plain[at] else 0
        if size is None:
            break
        for field in _OF_THE_MOMENT:
            start, end = at + field.start, at + field.stop
            plain[start:end] = bytes(end - start)
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
    return hashlib.sha256(plain).hexdigest()


@lru_cache(maxsize=1024)
def _octal(field: bytes) -> int | None:
    """The number in a tar header's field; None for what is no octal number."""
    text = field.strip(b"\0 ")
    return int(text, 8) if text.isdigit() and not set(text) & set(b"89") else None
