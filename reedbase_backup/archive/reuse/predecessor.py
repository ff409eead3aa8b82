"""The backup before this one, as far as it can be trusted, and what can be taken over from it.

It is a help and no more: whatever is wrong with it, what it has is compressed anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from reedbase_backup.archive.deflating import NOTHING, Segment, Span
from reedbase_backup.archive.gzip_header import read_summary
from reedbase_backup.archive.gzip_writer import Stretch
from reedbase_backup.archive.reuse import index
from reedbase_backup.archive.reuse.index import Index, IndexDamaged, Record
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.runs import Run

SWITCH = "REEDBACKUP_REUSE"
"""The environment variable that, as 0, has a backup take nothing over from the one before."""

_OTHERS_MAY_WRITE = 0o022
_CHUNK = 1 << 20


class Damaged(Exception):
    """What was to be taken over is not what was written."""


class Predecessor:
    """An archive of this base, of ours, and open."""

    def __init__(self, file: IO[bytes], found: Index) -> None:
        self._file = file
        self._index = found

    @classmethod
    def of(cls, file: IO[bytes], now: Origin, base: int) -> Predecessor | None:
        """Return the archive `file` as predecessor of one made `now`; None if it can be none.

        It is to be this user's and nobody else's to write, and the very file that was
        written here.
        """
        try:
            status = os.fstat(file.fileno())
            summary = read_summary(file)
            if (
                status.st_uid != os.geteuid()
                or status.st_mode & _OTHERS_MAY_WRITE
                or summary is None
                or summary.index is None
                or summary.file_size != status.st_size
            ):
                return None
            found = Index(index.read(file, summary.index), status.st_size)
            # By a clock that went back, times tell nothing.
            in_order = 0 < found.origin.began_ns <= now.began_ns
            is_here = found.origin.is_that_of(status, base)
        except (OSError, IndexDamaged):
            return None
        return cls(file, found) if in_order and is_here else None

    def find(self, run: Run) -> Record | None:
        """Return where the run is, if all its files are what they were as it was written.

        One that was changed at the time when that backup began, or later, may have changed
        again without another time.
        """
        origin = self._index.origin
        key = run.key(origin.device) if run.is_older_than(origin.began_ns) else None
        return None if key is None else self._index.find(key)

    def lines(self, record: Record) -> list[Segment]:
        """Return the run's lines of the manifest. Raise Damaged."""
        if record.lines.packed.size > _CHUNK:
            raise Damaged
        return list(self._segments(record.lines))

    def body(self, record: Record) -> Iterator[Segment]:
        """Yield the run's members. Raise Damaged, of a `long` one maybe only at the end."""
        return self._segments(record.body)

    def is_long(self, record: Record) -> bool:
        """Return whether the run's members are read in parts."""
        return record.body.packed.size > _CHUNK

    def _segments(self, stretch: Stretch) -> Iterator[Segment]:
        """Yield a stretch as it was written, in parts that are segments or not."""
        done, content = NOTHING, stretch.content
        while done.size < stretch.packed.size or done is NOTHING:
            size = min(stretch.packed.size - done.size, _CHUNK)
            try:
                self._file.seek(stretch.offset + done.size)
                packed = self._file.read(size)
            except OSError as error:
                raise Damaged from error
            span = Span.of(packed)
            done = done.joined(span)
            if span.size != size or not size:
                raise Damaged
            if done.size == stretch.packed.size and done != stretch.packed:
                raise Damaged
            yield Segment(packed, span, content)
            content = NOTHING
