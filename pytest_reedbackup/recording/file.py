"""A tape as a file: a zip of `tape.json` and a blob for each content, once.

So it compresses, checks and opens like any zip. Its end is written last, under
the final name only then, so that a file that was cut is noticed.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.recording.format import FORMAT, VERSION, Tape

_INDEX = "tape.json"
_BLOBS = "blobs/"
# What begins like this would not become smaller.
_COMPRESSED = (b"\x1f\x8b", b"\xfd7zXZ")
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class UnusableTape(Exception):
    """The file is no recording that can be played back; the message says why."""


def blob_name(content: bytes) -> str:
    """What a content is called on a tape."""
    return hashlib.sha256(content).hexdigest()[:40]


class TapeWriter:
    """Writes a tape while it is recorded; the file is there once `finish` has returned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._zip = zipfile.ZipFile(self._partial, "w", zipfile.ZIP_DEFLATED)
        self._blobs: set[str] = set()

    def add_blob(self, name: str, content: bytes) -> None:
        """Adds a content, if it is not there yet."""
        if name not in self._blobs:
            self._blobs.add(name)
            self._add(f"{_BLOBS}{name}", content)

    def finish(self, tape: Tape) -> None:
        """Completes the file."""
        self._add(_INDEX, msgspec.json.encode(tape))
        self._zip.close()
        self._partial.replace(self._path)

    def give_up(self) -> None:
        """Leaves nothing."""
        self._zip.close()
        self._partial.unlink()

    def _add(self, name: str, content: bytes) -> None:
        # ZipInfo's own time, 1980, so that the same tape is the same file.
        entry = zipfile.ZipInfo(name)
        entry.compress_type = (
            zipfile.ZIP_STORED if content.startswith(_COMPRESSED) else zipfile.ZIP_DEFLATED
        )
        self._zip.writestr(entry, content)


class TapeFile:
    """A tape to be played back."""

    def __init__(self, path: Path) -> None:
        """Raises UnusableTape."""
        self._path = path
        try:
            found = path.stat()
            self.tape = _read(path, found.st_ino, found.st_size, found.st_mtime_ns)
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise UnusableTape(f"there is no file {path}") from error
        except _BROKEN as error:
            raise _not_whole(path, error) from error

    def blob(self, name: str) -> bytes:
        """A content."""
        return self._zip.read(f"{_BLOBS}{name}")

    def close(self) -> None:
        """Closes the file."""
        self._zip.close()


def read_tape(path: Path) -> Tape:
    """All of a tape but the contents of files. Raises UnusableTape."""
    file = TapeFile(path)
    file.close()
    return file.tape


# Several implementations of one run may be played from one file, which does not change.
@lru_cache(maxsize=4)
def _read(path: Path, *version: int) -> Tape:
    with zipfile.ZipFile(path) as archive:
        if _INDEX not in archive.namelist():
            raise UnusableTape(f"{path} is no recording: it holds no {_INDEX}")
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
        content = archive.read(_INDEX)
        names = set(archive.namelist())
    tape = _decoded(path, content)
    blobs = {
        change.content
        for case in tape.cases.values()
        for call in case.calls
        for change in call.changes
        if change.kind == "file"
    }
    if lacking := [name for name in blobs if f"{_BLOBS}{name}" not in names]:
        raise UnusableTape(f"{path} is not whole: it lacks {len(lacking)} contents of files")
    return tape


class _Kind(msgspec.Struct):
    """What is looked at first: of another version the rest may be anything."""

    header: _KindHeader


class _KindHeader(msgspec.Struct):
    format: str
    version: int


def _decoded(path: Path, content: bytes) -> Tape:
    try:
        kind = msgspec.json.decode(content, type=_Kind).header
        if kind.format != FORMAT:
            raise UnusableTape(f"{path} is no recording but {kind.format!r}")
        if kind.version != VERSION:
            raise UnusableTape(
                f"{path} is a recording of format {kind.version}, and this kit reads format"
                f" {VERSION}; {'update the kit' if kind.version > VERSION else 'record it again'}"
            )
        return msgspec.json.decode(content, type=Tape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnusableTape(f"{path} is no recording: {error}") from error


def _not_whole(path: Path, error: Any) -> UnusableTape:
    reason = os.strerror(error.errno) if getattr(error, "errno", None) else error
    return UnusableTape(f"{path} is no whole recording: {reason}; record it again")


def current_umask() -> int:
    """What this process takes from the modes of its files, which are a part of every state."""
    umask = os.umask(0o022)
    os.umask(umask)
    return umask
