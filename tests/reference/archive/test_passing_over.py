"""What a restore passes over in an archive hides no damage, and is never another file."""

from __future__ import annotations

import gzip
import os
import random
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from fixture_types import MakeBase
from reference.archive.resealing import INDEX_HEAD, bodies, edited, index_place, resealed, rewritten

from reedbase_backup import BackupCorrupted, create_backup
from reedbase_backup.archive import gzip_header
from reedbase_backup.archive.gzip_header import SIZE, read_summary
from reedbase_backup.archive.gzip_reader import GzipReader
from reedbase_backup.archive.reader import ArchiveReader, Contents

pytestmark = pytest.mark.usefixtures("inflated")

# A key, a flag, and two times offset, size, CRC-32, size and CRC-32 (FORMAT.md, "Index").
_RECORD_SIZE = 17 + 2 * struct.calcsize("<QQIQI")
LARGE = ("tables/t/a", "tables/t/b", "tables/t/c")
_RUNS = (1, 2, 3)
"""Theirs by number: before them is the one of `.lock`."""
_AFTER = 4
"""That of `d1`, `d2` and `current.csv`."""


@pytest.fixture
def archive(make_base: MakeBase) -> Path:
    """Three large files that follow each other, and small ones about them; of few bytes."""
    base = make_base("t", rows=1)
    (base / "tables" / "t" / "1700000000000000000.bsdiff").unlink()
    noise = random.Random(60).randbytes
    # Of the first, as compressed, there is more than what is read first of one.
    for name, size in zip(LARGE, (1200, 50, 50), strict=True):
        (base / name).write_bytes(noise(size) + bytes(1 << 16))
    # Two of one run, which is as long as a large file's.
    for name in ("d1", "d2"):
        (base / "tables" / "t" / name).write_bytes(bytes(40_000))
    return base / "backups" / f"{create_backup(base).id}.tar.gz"


def _read(path: Path, passed: list[str] | None = None) -> Contents:
    """Read an archive and pass over all that can be, if it is to be noted in `passed`."""
    with path.open("rb") as file:
        reader = ArchiveReader(file, path.name, passes_over=passed is not None)
        for entry in reader:
            if passed is None:
                continue
            reader.pass_over()
            if entry.size and not list(reader.chunks()):
                passed.append(entry.name)
    assert reader.contents is not None
    return reader.contents


def _outcome(path: Path, passed: list[str] | None = None) -> Contents | str:
    try:
        return _read(path, passed)
    except BackupCorrupted as error:
        return str(error)


def test_large_files_are_passed_over_and_have_the_digests_of_the_manifest(archive: Path) -> None:
    passed: list[str] = []
    assert _read(archive, passed) == _read(archive)
    assert set(LARGE) <= set(passed)
    assert "tables/t/d1" not in passed


def test_of_a_large_file_the_rest_is_passed_over_when_a_part_was_read(archive: Path) -> None:
    content = gzip.decompress(archive.read_bytes())
    stretch = bodies(archive.read_bytes())[_RUNS[0]]
    begin = content.index(LARGE[0].encode())
    end = begin + stretch.content.size
    with archive.open("rb") as file:
        reader = GzipReader(file, [stretch])
        assert reader.read(begin + 1500) == content[: begin + 1500]
        assert reader.pass_over(end - begin - 1500)
        assert reader.read(len(content)) == content[end:]


def test_what_is_read_beside_them_is_held_against_the_manifest(archive: Path) -> None:
    def spoil(content: bytes) -> bytes:
        return content.replace(b"t.0|row 0", b"t.0|row 1")

    content = archive.read_bytes()
    archive.write_bytes(edited(content, bodies(content)[_AFTER], spoil))
    with pytest.raises(BackupCorrupted, match=r"content of tables/t/current.csv is not as backed"):
        _read(archive, [])


def _damaged(sound: bytes) -> Iterator[bytes]:
    for at in range(len(sound)):
        yield sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :]
        yield sound[:at]
        yield sound[:at] + sound[at + 1 :]


@pytest.mark.slow
def test_damage_is_found_wherever_it_is(archive: Path) -> None:
    for content in _damaged(archive.read_bytes()):
        rewritten(archive, content)
        assert isinstance(_outcome(archive, []), str)


def _swapped(content: bytes, one: int, other: int) -> bytes:
    """Return the archive with two runs, by their number, in each other's place."""
    first, second = sorted(
        (body.offset, body.offset + body.packed.size)
        for body in (bodies(content)[number] for number in (one, other))
    )
    between = content[first[1] : second[0]]
    return b"".join(
        (
            content[: first[0]],
            content[slice(*second)],
            between,
            content[slice(*first)],
            content[second[1] :],
        )
    )


@pytest.mark.parametrize(("one", "other"), [*combinations((*_RUNS, _AFTER), 2)])
def test_runs_in_each_others_place_are_damage(archive: Path, one: int, other: int) -> None:
    archive.write_bytes(_swapped(archive.read_bytes(), one, other))
    assert isinstance(_outcome(archive, []), str)


def test_a_run_that_is_not_where_the_index_says_is_read(archive: Path) -> None:
    """Where all checksums of the file are right, and the members stand in another order."""
    swapped = _swapped(archive.read_bytes(), *_RUNS[1:])
    archive.write_bytes(resealed(swapped))
    passed: list[str] = []
    assert _read(archive, passed) == _read(archive)
    assert not {*LARGE[1:]} & set(passed)


def _lies(content: bytes) -> Iterator[bytes]:
    """Yield archives whose index says other numbers, one at a time; all checksums are right."""
    place, count = index_place(content), len(bodies(content))
    fields = [("<Q", 17), ("<Q", 25), ("<I", 33), ("<Q", 37), ("<I", 45)]
    for number, (form, offset) in ((n, f) for n in range(count) for f in fields):
        at = place + INDEX_HEAD + number * _RECORD_SIZE + offset
        (true,) = struct.unpack_from(form, content, at)
        others = {
            struct.unpack_from(form, content, at + (other - number) * _RECORD_SIZE)[0]
            for other in range(count)
        }
        for lie in {0, 1, true - 1, true + 1, true + 512, *others} - {true}:
            if lie >= 0:
                changed = bytearray(content)
                struct.pack_into(form, changed, at, lie)
                yield resealed(bytes(changed))


def test_an_index_that_lies_is_found_out_or_does_no_harm(archive: Path) -> None:
    truth, said = _read(archive), []
    for content in _lies(archive.read_bytes()):
        rewritten(archive, content)
        outcome = _outcome(archive, [])
        assert outcome == truth or isinstance(outcome, str)
        said.append(outcome == truth)
    assert {True, False} == set(said)


def test_a_run_with_another_checksum_than_in_the_index_is_read(archive: Path) -> None:
    truth, changed = _read(archive), bytearray(archive.read_bytes())
    at = index_place(bytes(changed)) + INDEX_HEAD + _RUNS[0] * _RECORD_SIZE + 33
    changed[at] ^= 1
    archive.write_bytes(resealed(bytes(changed)))
    passed: list[str] = []
    assert _read(archive, passed) == truth
    assert {*LARGE} - {*passed} == {LARGE[0]}


def test_a_length_of_content_that_hides_members_is_damage(archive: Path) -> None:
    """By gzip's own checksum: what is passed over counts with the one that the index has."""
    content = archive.read_bytes()
    first, second = (bodies(content)[number] for number in _RUNS[:2])
    changed = bytearray(content)
    at = index_place(content) + INDEX_HEAD + _RUNS[0] * _RECORD_SIZE + 25
    both = first.packed.size + second.packed.size
    crc = zlib.crc32(content[first.offset : first.offset + both])
    struct.pack_into("<QI", changed, at, both, crc)
    archive.write_bytes(resealed(bytes(changed)))
    with pytest.raises(BackupCorrupted, match="its checksum is wrong"):
        _read(archive, [])


def test_a_run_changed_while_the_archive_is_read_is_damage(archive: Path) -> None:
    content = archive.read_bytes()
    body = bodies(content)[_RUNS[0]]
    with archive.open("r+b", buffering=0) as file:
        reader = ArchiveReader(file, archive.name, passes_over=True)
        entry = next(entries := iter(reader))
        while entry.name != LARGE[0]:
            reader.pass_over()
            entry = next(entries)
        place = file.tell()
        assert body.offset < place < body.offset + body.packed.size
        os.pwrite(file.fileno(), bytes([content[place] ^ 1]), place)
        reader.pass_over()
        with pytest.raises(BackupCorrupted):
            deque(entries, 0)


def test_what_was_read_in_part_is_not_passed_over(archive: Path) -> None:
    with archive.open("rb") as file:
        reader = ArchiveReader(file, archive.name, passes_over=True)
        for _ in reader:
            next(reader.chunks(), None)
            reader.pass_over()
    assert reader.contents == _read(archive)


def test_an_archive_without_an_index_is_read_whole(archive: Path) -> None:
    truth, content = _read(archive), archive.read_bytes()
    with archive.open("rb") as file:
        summary = read_summary(file)
    assert summary is not None
    shorter = replace(summary, file_size=summary.file_size - 16, index=None)
    archive.write_bytes(gzip_header.encode(shorter) + content[SIZE:])
    passed: list[str] = []
    assert _read(archive, passed) == truth
    assert not set(passed)
