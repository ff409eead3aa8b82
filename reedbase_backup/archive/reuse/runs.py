"""Runs: files of one folder that follow each other, taken over or compressed as one.

A run ends where the name of its last file says so, so that a new file spoils one run
and not all that follow; at the latest, it ends where it is large.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256

from isal.isal_zlib import crc32

from reedbase_backup.archive.gzip_writer import PIECE
from reedbase_backup.archive.manifest import ENCODING, ERRORS
from reedbase_backup.disk.source_entries import SourceFile

# 64 files on an average: fewer cost more than they save, of more a change spoils more.
_ENDS = 64
_MOST_FILES = 128
LARGE_FILE = 1 << 16
"""From this size on, a file is a run by itself."""

_STATUS = struct.Struct("<QQqqIII")

KEY_SIZE = 16


class Run:
    """A run as it grows, file by file."""

    __slots__ = ("_size", "folder", "is_full", "names", "statuses")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.names: list[str] = []
        """Its files', in the folder."""
        self.statuses: list[os.stat_result] = []
        self._size = 0
        self.is_full = False
        """Whether it ends with the file that was added last."""

    def add(self, name: str, status: os.stat_result) -> None:
        """Add the file `name` of the folder."""
        self.names.append(name)
        self.statuses.append(status)
        size = status.st_size
        self._size += size
        self.is_full = (
            crc32(name.encode(ENCODING, ERRORS)) % _ENDS == 0
            or self._size >= PIECE
            or len(self.names) >= _MOST_FILES
            or size >= LARGE_FILE
        )

    def ends_before(self, status: os.stat_result) -> bool:
        """Return whether a file that is like this begins another."""
        return bool(self.names) and (self.is_full or status.st_size >= LARGE_FILE)

    def key(self, device: int) -> bytes | None:
        """Return what is the same for no other files, nor for these once they have changed.

        None where nothing tells them: on another device than `device`, which has
        another clock, without inode numbers, or at times out of all reach.
        """
        if any(one.st_dev != device or not one.st_ino for one in self.statuses):
            return None
        try:
            told = [
                _STATUS.pack(
                    one.st_ino,
                    one.st_size,
                    one.st_mtime_ns,
                    one.st_ctime_ns,
                    one.st_mode,
                    one.st_uid,
                    one.st_gid,
                )
                for one in self.statuses
            ]
        except struct.error:
            return None
        # No name is empty or has a zero byte in it.
        names = "\0".join((self.folder, *self.names, "", "")).encode(ENCODING, ERRORS)
        return sha256(names + b"".join(told)).digest()[:KEY_SIZE]

    def is_older_than(self, time_ns: int) -> bool:
        """Return whether no file of it was written or changed at `time_ns` or later."""
        return all(one.st_ctime_ns < time_ns > one.st_mtime_ns for one in self.statuses)


def runs_of(folder: str, files: Iterable[tuple[str, os.stat_result]]) -> Iterator[Run]:
    """Yield the runs of these files of the folder, in order, each once it is complete."""
    run = Run(folder)
    for name, status in files:
        if run.ends_before(status):
            yield run
            run = Run(folder)
        run.add(name, status)
    if run.names:
        yield run


def in_runs(folder: str, files: Iterable[SourceFile]) -> Iterator[tuple[Run, SourceFile]]:
    """Yield open files of the folder, in order, each with the run that it is of by now.

    A run is complete when the next one comes.
    """
    run = Run(folder)
    for file in files:
        if run.ends_before(file.status):
            run = Run(folder)
        run.add(file.entry_name, file.status)
        yield run, file
