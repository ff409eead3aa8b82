"""Runs: files of one folder that follow each other, taken over or compressed as one.

A run ends where the name of its last file says so, so that a new file spoils one run
and not all that follow; at the latest, it ends where it is large.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from isal.isal_zlib import crc32

from reedbase_backup.archive.gzip_writer import PIECE
from reedbase_backup.archive.manifest import ENCODING, ERRORS
from reedbase_backup.disk.source_entries import See, SourceFile, SourceFiles

# 64 files on an average: fewer cost more than they save, of more a change spoils more.
_ENDS = 64
_MOST_FILES = 128
LARGE_FILE = 1 << 16
"""From this size on, a file is a run by itself."""

_STATUS = struct.Struct("<QQqqIII")

KEY_SIZE = 16


@dataclass(frozen=True, slots=True)
class Run:
    """Files of a folder, in the order of their names."""

    folder: str
    names: Sequence[str]
    """Its files', in the folder."""
    statuses: Sequence[os.stat_result]

    def key(self, device: int) -> bytes | None:
        """Return what is the same for no other files, nor for these once they have changed.

        None where nothing tells them: on another device than `device`, which has
        another clock, without inode numbers, or at times out of all reach.
        """
        inodes = {one.st_ino for one in self.statuses}
        if {one.st_dev for one in self.statuses} != {device} or 0 in inodes:
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


def runs_of(files: SourceFiles) -> Iterator[Run]:
    """Yield the runs of a folder's files, in order, none of them opened."""
    start = 0
    while names := _longest(files.names, start):
        statuses = files.looked_at(names, large=LARGE_FILE, enough=PIECE)
        yield Run(files.folder, names[: len(statuses)], statuses)
        start += len(statuses)


def read_runs(
    files: SourceFiles, names: Sequence[str], see: See
) -> Generator[tuple[Run, list[bytes] | SourceFile], None, None]:
    """Yield the runs of these files of a folder, in order, with the contents.

    A large file is open instead, until the next run is asked for. Each is shown to `see`.
    """
    start = 0
    while of_one := _longest(names, start):
        statuses, contents = files.read(of_one, see, large=LARGE_FILE, enough=PIECE)
        if statuses:
            yield Run(files.folder, of_one[: len(statuses)], statuses), contents
        else:
            with files.opened(of_one[0]) as file:
                see(file.descriptor, file.status)
                statuses = [file.status]
                yield Run(files.folder, of_one[:1], statuses), file
        start += len(statuses)


def _longest(names: Sequence[str], start: int) -> Sequence[str]:
    """Return what of the sorted `names` of a folder is of one run from `start` on, by the names.

    Where files are large, it is less.
    """
    end = start
    for name in names[start : start + _MOST_FILES]:
        end += 1
        if _ends_one(name):
            break
    return names[start:end]


def _ends_one(name: str) -> bool:
    return crc32(name.encode(ENCODING, ERRORS)) % _ENDS == 0


def parts_of(names: Sequence[str]) -> list[Sequence[str]]:
    """Return the sorted `names` of a folder in parts of whole runs, about as many in each."""
    found, start = [], 0
    while start < len(names):
        end = start + _MOST_FILES
        # What comes after such a name begins a run, whatever was before it.
        while end < len(names) and not _ends_one(names[end - 1]):
            end += 1
        found.append(names[start:end])
        start = end
    return found
