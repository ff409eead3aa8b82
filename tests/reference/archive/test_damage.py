"""No damage to an archive goes unnoticed."""

from __future__ import annotations

import gzip
import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fixture_types import MakeBase

from reedbase_backup import BackupCorrupted, create_backup
from reedbase_backup.archive.gzip_writer import GzipWriter, Stretch
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.archive.tar import header as tar_header


@pytest.fixture
def archive(make_base: MakeBase) -> Path:
    base = make_base("t", rows=1)
    (base / "tables" / "t" / "1700000000000000000.bsdiff").unlink()
    return base / "backups" / f"{create_backup(base).id}.tar.gz"


def _decoded(path: Path) -> list[object]:
    with path.open("rb") as file:
        reader = ArchiveReader(file, path.name)
        found: list[object] = [
            (entry.name, entry.is_folder, entry.mode, entry.uid, b"".join(reader.chunks()))
            for entry in reader
        ]
        return [*found, reader.contents]


def flips(path: Path) -> Iterator[int]:
    """Flips each bit of a file in turn and yields its number; the file ends as it began."""
    with path.open("r+b", buffering=0) as file:
        for at, byte in enumerate(path.read_bytes()):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), at)
                yield 8 * at + bit
            os.pwrite(file.fileno(), bytes([byte]), at)


def test_every_flipped_bit_is_detected(archive: Path) -> None:
    """Those too of gzip's own flags, time and system, on which no content depends."""
    unnoticed = []
    for bit in flips(archive):
        with suppress(BackupCorrupted):
            _decoded(archive)
            unnoticed.append(bit)
    assert unnoticed == []


def test_every_truncation_is_detected(archive: Path) -> None:
    sound = archive.read_bytes()
    for size in range(len(sound)):
        archive.write_bytes(sound[:size])
        with pytest.raises(BackupCorrupted):
            _decoded(archive)


def test_every_missing_or_doubled_byte_is_detected(archive: Path) -> None:
    sound, unnoticed = archive.read_bytes(), []
    for at in range(len(sound)):
        for edited in (sound[:at] + sound[at + 1 :], sound[: at + 1] + sound[at:]):
            archive.write_bytes(edited)
            with suppress(BackupCorrupted):
                _decoded(archive)
                unnoticed.append(at)
    assert unnoticed == []


def test_every_flipped_bit_of_a_foreign_archive_is_detected_or_changes_nothing(
    base: Path, tmp_path: Path
) -> None:
    path = tmp_path / "1.tar.gz"
    with tarfile.open(path, "w:gz") as opened:
        opened.add(base / "tables" / "routes", "tables/routes")
    expected = _decoded(path)
    for bit in flips(path):
        # Damage is said to be damage, whatever it makes of a member.
        with suppress(BackupCorrupted):
            assert _decoded(path) == expected, f"bit {bit} changed the content unnoticed"


def test_content_that_the_manifest_does_not_know_is_detected(archive: Path) -> None:
    """Both checksums of gzip are right again: only the manifest tells."""
    plain = bytearray(gzip.decompress(archive.read_bytes()))
    plain[plain.index(b"t.0|row 0")] ^= 1
    archive.write_bytes(gzip.compress(bytes(plain)))
    with pytest.raises(BackupCorrupted, match=r"content of tables/t/current.csv is not as backed"):
        _decoded(archive)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"manifest 1\n", b"manifest 9\n", "unknown format"),
        (b"reedbackup manifest 1\n", b"\n" * 22, "unknown format"),
        (b" tables/t/current.csv\n", b" tables/t/current.xyz\n", "names other files"),
        (b"- 0 ", b"-_0_", "malformed"),
        (b"- 0 1", b"- 0 x", "malformed"),
        (b"- 0 1", b"- 0 9", "time of tables is not as backed up"),
    ],
)
def test_a_manifest_that_does_not_fit_is_detected(
    archive: Path, old: bytes, new: bytes, reason: str
) -> None:
    plain = gzip.decompress(archive.read_bytes())
    before, title, manifest = plain.rpartition(b"reedbackup manifest 1\n")
    edited = before + (title + manifest).replace(old, new, 1)
    assert edited != plain
    archive.write_bytes(gzip.compress(edited))
    with pytest.raises(BackupCorrupted, match=reason):
        _decoded(archive)


def test_an_archive_of_ours_without_its_manifest_is_damaged(archive: Path) -> None:
    plain = gzip.decompress(archive.read_bytes())
    with archive.open("wb") as file:
        writer = GzipWriter(file)
        writer.write(plain[: plain.index(b".reedbackup/manifest")] + tar_header.END_OF_ARCHIVE)
        writer.finish(table_count=1, index=Stretch())
    with pytest.raises(BackupCorrupted, match="its manifest is missing"):
        _decoded(archive)


def test_a_header_that_counts_other_tables_is_damage(archive: Path) -> None:
    plain = gzip.decompress(archive.read_bytes())
    with archive.open("wb") as file:
        writer = GzipWriter(file)
        writer.write(plain)
        writer.finish(table_count=7, index=Stretch())
    with pytest.raises(BackupCorrupted, match="its header counts other tables than it holds"):
        _decoded(archive)


def test_an_archive_that_was_compressed_anew_is_as_good(archive: Path) -> None:
    expected = _decoded(archive)
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes())))
    assert _decoded(archive) == expected
