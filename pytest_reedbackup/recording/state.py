"""The state of a base as a digest: the same on another machine and another day.

Modes, kinds and contents count; times do not. An archive counts by the members
that are packed in it: compressors differ from one machine to the next, and so
do the times and owners that tar writes down.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pytest_reedbackup.views.tree import ROOT, Entry, Tree

_ARCHIVE = ".tar.gz"
_BACKUPS = "backups"
_GZIP = 31
_BLOCK = 512
_SIZE = slice(124, 136)
# uid, gid; mtime, checksum; names of user and group (POSIX, ustar).
_OF_THE_MOMENT = (slice(108, 124), slice(136, 156), slice(265, 329))
_TYPE = 156
# GNU tar's members that hold the name and the target of the next one, where they
# are too long for these fields.
_LONG = {ord("L"): slice(0, 100), ord("K"): slice(157, 257)}


def digest(base: Path, around: Path) -> str:
    """Return the digest of all that is below `base`.

    Links and archives may hold the paths of `around` and the folder above: it
    is the same digest wherever these folders are.
    """
    total = hashlib.sha256()
    for path, entry in sorted(Tree.read(base).entries.items()):
        content = _content(base / path, entry, around)
        mode = "" if entry.kind == "symlink" or path == ROOT else f"{entry.mode:o}"
        for part in (path, entry.kind, mode, content):
            total.update(os.fsencode(part) + b"\0")
    return total.hexdigest()[:32]


def _content(path: Path, entry: Entry, around: Path) -> str:
    if entry.kind == "symlink":
        target = os.fsdecode(_anywhere(os.fsencode(entry.content), around))
        return target + _beside(path, around)
    if entry.kind == "file" and _may_be_an_archive(path):
        return _packed(entry.content, path, around)
    return entry.content


def _beside(link: Path, around: Path) -> str:
    """Return what a link to a place beside the base leads to: a call may follow it."""
    target, folder = os.path.realpath(link), os.path.realpath(around)
    base = os.path.join(folder, link.relative_to(around).parts[0])
    if not target.startswith(f"{folder}/") or f"{target}/".startswith(f"{base}/"):
        return ""
    entries = sorted(Tree.read(Path(target)).entries.items())
    return "".join(f"\0{path}\0{entry.kind}\0{entry.content}" for path, entry in entries)


def _may_be_an_archive(path: Path) -> bool:
    """Return whether its place or its name is an archive's: backups/ has foreign names too."""
    return path.parent.name == _BACKUPS or path.name.endswith(_ARCHIVE)


def _anywhere(content: bytes, around: Path) -> bytes:
    for folder, mark in ((around, b"{around}"), (around.parent, b"{above}")):
        content = content.replace(os.fsencode(folder), mark)
    return content


def _packed(sha256: str, path: Path, around: Path) -> str:
    """Return the digest of what an archive holds; of anything else, that of its bytes."""
    if sha256 not in _known:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        _known[sha256] = _digest_of_archive(path.read_bytes(), around) or sha256
    return _known[sha256]


_MOST_KNOWN = 10_000
_known: dict[str, str] = {}


def _digest_of_archive(content: bytes, around: Path) -> str:
    """Return the digest of what an archive holds; empty where it is no whole gzip member."""
    inflate = zlib.decompressobj(_GZIP)
    try:
        plain = inflate.decompress(content)
    except zlib.error:
        return ""
    if not inflate.eof or inflate.unused_data:
        return ""
    total = hashlib.sha256()
    for part in _members(plain):
        total.update(_anywhere(part, around) + b"\0")
    return total.hexdigest()


def _members(plain: bytes) -> Iterator[bytes]:
    """Yield name, target, the rest of the header and content of each member; then what is left."""
    at, long = 0, {}
    while at + _BLOCK <= len(plain) and plain[at]:
        header = bytearray(plain[at : at + _BLOCK])
        size = _octal(bytes(header[_SIZE]))
        if size is None:
            break
        data = plain[at + _BLOCK : at + _BLOCK + size]
        at += _BLOCK + -(-size // _BLOCK) * _BLOCK
        if header[_TYPE] in _LONG:
            long[header[_TYPE]] = data
            continue
        for kind, field in _LONG.items():
            yield long.get(kind, bytes(header[field])).rstrip(b"\0")
        long.clear()
        for field in (*_LONG.values(), *_OF_THE_MOMENT):
            header[field] = bytes(field.stop - field.start)
        yield bytes(header)
        yield data
    yield plain[at:].rstrip(b"\0")


@lru_cache(maxsize=1024)
def _octal(field: bytes) -> int | None:
    """Return the number in a tar header's field; None for what is no octal number."""
    text = field.strip(b"\0 ")
    return int(text, 8) if text.isdigit() and not set(text) & set(b"89") else None
