"""Runs packed apart from their archive, as plain values that go from process to process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from typing import TypeAlias

from reedbase_backup.archive.deflating import Segment, Span
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.members import WrittenRun, write_run
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.runs import read_runs
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source_entries import SourceFile, SourceFiles, Stamp

PackedBytes: TypeAlias = tuple[bytes, int, int]
"""A segment: compressed, and size and CRC-32 of what it was before."""
PackedRun: TypeAlias = tuple[bytes | None, bool, PackedBytes, PackedBytes]
"""Its key, whether it is plain, its members, its lines."""
Packed: TypeAlias = tuple[list[PackedRun], bool, list[int], dict[str, Stamp] | None]
"""Runs; of their readers, whether they are shared and the groups; stamps of their files."""


def pack(
    files: SourceFiles, names: Sequence[str], origin: Origin, readers: Readers
) -> Packed | None:
    """Return files of a folder packed; None where one is large, and is not to be in memory.

    Neither `files` nor `readers` note anything of it. Raise what `write_run` and SourceFiles.read
    do.
    """
    apart, seen = files.apart(), readers.apart()
    memory, written = BytesIO(), []
    with closing(GzipWriter(memory)) as gzip, closing(read_runs(apart, names, seen.see)) as runs:
        for run, content in runs:
            if isinstance(content, SourceFile):
                return None
            written.append(write_run(gzip, run, content, origin, seen))
        gzip.checkpoint()
    runs_packed = [_packed_run(one, memory.getbuffer()) for one in written]
    return runs_packed, seen.are_shared, list(seen.groups), apart.stamps


def _packed_run(run: WrittenRun, archive: memoryview) -> PackedRun:
    [lines] = run.lines
    body = archive[run.body.offset : run.body.offset + run.body.packed.size]
    return run.key, run.is_plain, (bytes(body), *run.body.content), (lines.packed, *lines.span)


def write_packed(
    gzip: GzipWriter, packed: Packed, files: SourceFiles, readers: Readers
) -> list[WrittenRun]:
    """Write what `pack` has made of some of `files`, which notes it now, as do the `readers`."""
    runs, are_shared, groups, stamps = packed
    written = []
    for key, is_plain, body, lines in runs:
        stretch = gzip.begin_stretch()
        gzip.copy(_segment(*body))
        # Of what was before them, more may be known here.
        is_plain = is_plain and readers.are_shared
        written.append(WrittenRun(key, is_plain, stretch, [_segment(*lines)]))
    readers.see_all_of(are_shared=are_shared, groups=groups)
    files.note(stamps)
    return written


def _segment(packed: bytes, size: int, crc: int) -> Segment:
    return Segment(packed, Span.of(packed), Span(size, crc))
