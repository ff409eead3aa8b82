"""Large files that stay as they are live are not unpacked, and nothing wrong comes of that."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fixture_types import ReadDatabase, TakeSnapshot
from reference.archive.resealing import bodies, edited, rewritten
from reference.restore.live import change, inodes, rewrite

from reedbase_backup import BackupCorrupted, create_backup, restore_point_in_time
from reedbase_backup.archive.gzip_reader import GzipReader
from reedbase_backup.types import U64_MAX as FOREVER

LARGE = ("tables/text/large", "tables/text/larger")


@pytest.fixture
def archive(base: Path) -> Path:
    """Of a database with two large files, of few bytes as compressed."""
    for number, name in enumerate(LARGE):
        (base / name).write_bytes(random.Random(number).randbytes(1200) + bytes(1 << 16))
    return base / "backups" / f"{create_backup(base).id}.tar.gz"


@pytest.fixture
def passed_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is passed over from now on."""
    sizes: list[int] = []
    real = GzipReader.pass_over

    def pass_over(self: GzipReader, size: int) -> bool:
        passed = real(self, size)
        if passed:
            sizes.append(size)
        return passed

    monkeypatch.setattr(GzipReader, "pass_over", pass_over)
    return sizes


def test_large_files_that_stay_are_passed_over(
    base: Path, archive: Path, passed_over: list[int], database: ReadDatabase
) -> None:
    before, live = database(base), inodes(base)
    (base / LARGE[1]).write_bytes(b"changed")
    restore_point_in_time(base, FOREVER)
    assert len([size for size in passed_over if size > 1 << 16]) == 1
    assert database(base) == before
    assert inodes(base)[LARGE[0]] == live[LARGE[0]]


def test_a_large_file_that_only_seems_the_same_is_written(
    base: Path, archive: Path, passed_over: list[int], database: ReadDatabase
) -> None:
    before = database(base)
    rewrite(base / LARGE[0])
    restore_point_in_time(base, FOREVER)
    assert max(passed_over) > 1 << 16
    assert database(base) == before


def _with_another_middle(plain: bytes) -> bytes:
    middle = len(plain) // 2
    return plain[:middle] + b"x" + plain[middle + 1 :]


@pytest.mark.parametrize("is_live", [True, False])
def test_a_large_file_that_is_not_the_manifests_is_damage(
    base: Path, archive: Path, snapshot: TakeSnapshot, is_live: bool
) -> None:
    """Where every checksum of the file is right."""
    content = archive.read_bytes()
    (run, *_) = (body for body in bodies(content) if body.content.size > 1 << 16)
    archive.write_bytes(edited(content, run, _with_another_middle))
    if not is_live:
        rewrite(base / LARGE[0])
    before = snapshot(base)
    with pytest.raises(BackupCorrupted):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


def test_a_damaged_archive_is_refused_whatever_stays(
    base: Path, archive: Path, snapshot: TakeSnapshot
) -> None:
    change(base, "something else")
    before, sound = snapshot(base, "tables", "indices"), archive.read_bytes()
    for at in range(0, len(sound), 101):
        damaged = sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :]
        rewritten(archive, damaged)
        with pytest.raises(BackupCorrupted):
            restore_point_in_time(base, FOREVER)
        rewritten(archive, sound[:at])
        with pytest.raises(BackupCorrupted):
            restore_point_in_time(base, FOREVER)
    assert snapshot(base, "tables", "indices") == before
