"""One table with its history of versions: raw first, then deltas.

Source: contract `last`, "On disk".
"""

from __future__ import annotations

import lzma
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from pytest_reedbackup.databases.contents import HEADERS, changed, rows
from pytest_reedbackup.databases.edits import INIT, UPDATE, log_line
from pytest_reedbackup.databases.layout import (
    EPOCH_NS,
    USERS,
    finish_folder,
    make_folder,
    write_file,
)
from pytest_reedbackup.databases.spec import Contents
from reedbase_backup.last.versions.bsdiff_stream import encode
from reedbase_backup.last.versions.delta import XZ_PRESET

_SHORTEST_GAP_NS: Final = 2_000_000
_LONGEST_GAP_NS: Final = 90_000_000_000

# Deltas are compressed by threads (lzma frees the GIL), this many at a time so
# that few contents are held at once.
_BATCH: Final = 64

# The baseline's preset with a cheaper search than `delta.splice` has, and the
# smallest dictionary: such a stream is nearly all zeros, in which this finds the
# same matches, and most of the time went into clearing the preset's 8 MiB.
_XZ_FILTERS: Final = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": XZ_PRESET,
        "mode": lzma.MODE_FAST,
        "mf": lzma.MF_HC3,
        "dict_size": 4096,
    }
]


def draw_stamps(rng: Random, count: int) -> list[int]:
    """Return `count` timestamps (Unix nanoseconds) that strictly increase: bursts, and pauses."""
    widest = _LONGEST_GAP_NS - _SHORTEST_GAP_NS
    gaps = (_SHORTEST_GAP_NS + int(rng.random() ** 3 * widest) for _ in range(count))
    return list(accumulate(gaps, initial=EPOCH_NS))[1:]


class Edit(NamedTuple):
    """One write: `old[start:end]` gives way to `replacement`."""

    old: bytes
    start: int
    end: int
    replacement: bytes

    def new(self) -> bytes:
        """Return the content after the write."""
        return self.old[: self.start] + self.replacement + self.old[self.end :]

    def delta(self) -> bytes:
        """Return the write as the version's .bsdiff file holds it."""
        tail = len(self.old) - self.end
        controls = [(self.start, len(self.replacement), self.end - self.start)]
        if tail:
            controls.append((tail, 0, 0))
        stream = encode(controls, bytes(self.start + tail), self.replacement)
        return lzma.compress(stream, format=lzma.FORMAT_XZ, filters=_XZ_FILTERS)


@dataclass(frozen=True)
class Table:
    """A table to be built: `rows` rows in its current version, one version a timestamp.

    Four of five later versions add a row while there are rows to add, the
    others change one.
    """

    contents: Contents
    rows: int
    stamps: Sequence[int]
    rng: Random

    def build(self, folder: Path) -> None:
        """Write the table to `folder`, which does not exist yet."""
        make_folder(folder)
        log = bytearray()
        content = HEADERS[self.contents] + rows(self.contents, self.rng, 0, self._first_rows)
        stored = self._store(folder, self.stamps[0], content)
        log += self._log_line(self.stamps[0], INIT, stored)
        history = self._history(content)
        later = iter(self.stamps[1:])
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            while batch := list(islice(history, _BATCH)):
                # The deltas first: zip takes no timestamp when they have run out.
                for stored_delta, at_ns in zip(threads.map(Edit.delta, batch), later, strict=False):
                    log += self._log_line(at_ns, UPDATE, self._store(folder, at_ns, stored_delta))
                content = batch[-1].new()
        newest = self.stamps[-1]
        write_file(folder / "current.csv", content, newest)
        write_file(folder / "version.log", bytes(log), newest)
        write_file(folder / ".lock", b"", self.stamps[0])
        finish_folder(folder, newest)

    @property
    def _added_rows(self) -> int:
        return min(self.rows, (len(self.stamps) - 1) * 4 // 5)

    @property
    def _first_rows(self) -> int:
        return self.rows - self._added_rows

    def _store(self, folder: Path, at_ns: int, stored: bytes) -> int:
        write_file(folder / f"{at_ns}.bsdiff", stored, at_ns)
        return len(stored)

    def _log_line(self, at_ns: int, action: int, size: int) -> bytes:
        user = 1 + int(self.rng.random() * (len(USERS) - 1))
        return log_line(at_ns, action, user, size)

    def _history(self, content: bytes) -> Iterator[Edit]:
        """Yield the later versions' writes: rows are added evenly among changed ones."""
        edits, added = len(self.stamps) - 1, self._added_rows
        for number in range(edits):
            # Rounded up, so that a table without rows gets one before any is changed.
            before, after = -(-number * added // edits), -(-(number + 1) * added // edits)
            edit = (
                self._added_row(content, self._first_rows + before)
                if after > before
                else self._changed_row(content)
            )
            yield edit
            content = edit.new()

    def _added_row(self, content: bytes, number: int) -> Edit:
        return Edit(content, len(content), len(content), rows(self.contents, self.rng, number, 1))

    def _changed_row(self, content: bytes) -> Edit:
        """Return another value for a random row; without rows, a write that changes nothing."""
        header = len(HEADERS[self.contents])
        if len(content) == header:
            return Edit(content, header, header, b"")
        drawn = header + int(self.rng.random() * (len(content) - header))
        start = content.rfind(b"\n", 0, drawn) + 1
        end = content.find(b"\n", drawn) + 1
        replacement = changed(self.contents, self.rng, content[start:end])
        return Edit(content, start, end, replacement)
