"""A recording as a file: a zip of `recording.json` and one blob for each content.

Any tool for zips can check and open it. The directory of a zip is at its end, and
the file gets its name when it is complete, so a file that was cut is noticed.
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

from pytest_reedbackup.recording.format import FORMAT, VERSION, Recording

_INDEX = "recording.json"
# Its name in files of kit 0.1.0, which are otherwise the same.
_INDEX_BEFORE = "tape.json"
_BLOBS = "blobs/"
# Contents that begin like this, gzip and xz, would not become smaller.
_COMPRESSED = (b"\x1f\x8b", b"\xfd7zXZ")
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class UnusableRecording(Exception):
    """The file cannot be played back; the message says why."""


def blob_name(content: bytes) -> str:
    """Return the name that a content has in a recording."""
    return hashlib.sha256(content).hexdigest()[:40]


class RecordingWriter:
    """Write a recording while the run goes on; the file is there once `finish` has returned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._zip = zipfile.ZipFile(self._partial, "w", zipfile.ZIP_DEFLATED)
        self._blobs: set[str] = set()

    def add_blob(self, name: str, content: bytes) -> None:
        """Add a content that is not there yet."""
        if name not in self._blobs:
            self._blobs.add(name)
            self._add(f"{_BLOBS}{name}", content)

    def finish(self, recording: Recording) -> None:
        """Complete the file."""
        self._add(_INDEX, msgspec.json.encode(recording))
        self._zip.close()
        self._partial.replace(self._path)

    def give_up(self) -> None:
        """Leave no file."""
        self._zip.close()
        self._partial.unlink()

    def _add(self, name: str, content: bytes) -> None:
        # With ZipInfo's default time, 1980, the same recording is the same file.
        entry = zipfile.ZipInfo(name)
        entry.compress_type = (
            zipfile.ZIP_STORED if content.startswith(_COMPRESSED) else zipfile.ZIP_DEFLATED
        )
        self._zip.writestr(entry, content)


class RecordingFile:
    """The file of a recording that is played back."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raise UnusableRecording."""
        self._path = path
        try:
            status = path.stat()
            self.recording = _read(path, status.st_ino, status.st_size, status.st_mtime_ns)
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise UnusableRecording(f"there is no file {path}") from error
        except _BROKEN as error:
            raise _not_whole(path, error) from error

    def blob(self, name: str) -> bytes:
        """Return the content of this name."""
        return self._zip.read(f"{_BLOBS}{name}")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def read_recording(path: Path) -> Recording:
    """Return a recording without the contents of files. Raise UnusableRecording."""
    file = RecordingFile(path)
    file.close()
    return file.recording


# A run reads the file for each of its targets. `version` has the cache notice a new file.
@lru_cache(maxsize=4)
def _read(path: Path, *version: int) -> Recording:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        index = _INDEX_BEFORE if _INDEX_BEFORE in names else _INDEX
        if index not in names:
            raise UnusableRecording(f"{path} is no recording: it holds no {_INDEX}")
        if (damaged := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{damaged} is damaged")
        content = archive.read(index)
    recording = _decoded(path, content)
    blobs = {
        change.content
        for case in recording.cases.values()
        for call in case.calls
        for change in call.changes
        if change.kind == "file"
    }
    if lacking := [name for name in blobs if f"{_BLOBS}{name}" not in names]:
        raise UnusableRecording(f"{path} is not whole: it lacks {len(lacking)} contents of files")
    return recording


class _Kind(msgspec.Struct):
    """The part to decode first: in another version the rest may be anything."""

    header: _KindHeader


class _KindHeader(msgspec.Struct):
    format: str
    version: int


def _decoded(path: Path, content: bytes) -> Recording:
    try:
        kind = msgspec.json.decode(content, type=_Kind).header
        if kind.format != FORMAT:
            raise UnusableRecording(f"{path} is no recording but {kind.format!r}")
        if kind.version != VERSION:
            raise UnusableRecording(
                f"{path} is a recording of format {kind.version}, and this kit reads format"
                f" {VERSION}; {'update the kit' if kind.version > VERSION else 'record it again'}"
            )
        return msgspec.json.decode(content, type=Recording)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnusableRecording(f"{path} is no recording: {error}") from error


def _not_whole(path: Path, error: Any) -> UnusableRecording:
    reason = os.strerror(error.errno) if getattr(error, "errno", None) else error
    return UnusableRecording(f"{path} is no whole recording: {reason}; record it again")
