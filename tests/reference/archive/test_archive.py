"""The archive format: what is written comes back, and no damage goes unnoticed."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from fixture_types import MakeBase
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup import BackupCorrupted, create_backup
from reedbase_backup.archive import gzip_writer, tar_header
from reedbase_backup.archive.gzip_header import Summary, read_summary
from reedbase_backup.archive.gzip_reader import GzipDamaged, GzipReader
from reedbase_backup.archive.gzip_writer import GzipWriter
from reedbase_backup.archive.limits import MAX_GZIP_TEXT, Allowance, LimitExceeded
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.archive.tar_reader import TarDamaged, TarReader

names = st.binary(min_size=1, max_size=300).filter(lambda name: b"\0" not in name)


@st.composite
def members(draw: st.DrawFn) -> tuple[tar_header.Member, bytes]:
    is_folder = draw(st.booleans())
    content = b"" if is_folder else draw(st.binary(max_size=2000))
    member = tar_header.Member(
        name=draw(names).rstrip(b"/") + (b"/" if is_folder else b"x"),
        kind=tar_header.FOLDER if is_folder else tar_header.FILE,
        mode=draw(st.integers(0, 0o7777)),
        mtime_ns=draw(st.integers(-(2**40), 2**40)) * 10**9,
        size=len(content),
        uid=draw(st.integers(0, 2**32 - 2)),
        gid=draw(st.integers(0, 2**32 - 2)),
    )
    return member, content


def packed(contents: list[tuple[tar_header.Member, bytes]]) -> bytes:
    blocks = [
        tar_header.encode(member) + content + tar_header.padding(len(content))
        for member, content in contents
    ]
    return b"".join(blocks) + tar_header.END_OF_ARCHIVE


def tar_reader(content: bytes) -> TarReader:
    return TarReader(io.BytesIO(content), Allowance.of(len(content)))


@given(st.lists(members(), max_size=5))
def test_members_of_any_name_time_and_owner_are_read_as_they_were_written(
    contents: list[tuple[tar_header.Member, bytes]],
) -> None:
    reader = tar_reader(packed(contents))
    assert [(member, b"".join(reader.data())) for member in reader] == contents


@given(st.lists(members(), max_size=5))
def test_the_standard_librarys_tarfile_reads_the_same_members(
    contents: list[tuple[tar_header.Member, bytes]],
) -> None:
    with tarfile.open(
        fileobj=io.BytesIO(packed(contents)), encoding="latin-1", errors="strict"
    ) as opened:
        found = opened.getmembers()
        assert len(found) == len(contents)
        for member, (expected, content) in zip(found, contents, strict=True):
            # tarfile decodes pax records as UTF-8 and cannot say what they were.
            if len(expected.name) <= 100:
                assert member.name.encode("latin-1") == expected.name.rstrip(b"/")
            assert (member.mode, member.mtime) == (expected.mode, expected.mtime_ns // 10**9)
            assert (member.uid, member.gid) == (expected.uid, expected.gid)
            assert member.isdir() == (expected.kind == tar_header.FOLDER)
            if member.isfile():
                file = opened.extractfile(member)
                assert file is not None
                assert file.read() == content


@given(st.lists(members(), max_size=3), st.data())
def test_a_cut_tar_is_never_read_to_its_end(
    contents: list[tuple[tar_header.Member, bytes]], data: st.DataObject
) -> None:
    """Where one of the two zero blocks at the end is left, nothing else is missing."""
    whole = packed(contents)
    size = data.draw(
        st.integers(0, len(whole) - 1).filter(lambda n: n != len(whole) - tar_header.BLOCK)
    )
    cut = whole[:size]
    with pytest.raises(TarDamaged):
        list(tar_reader(cut))


def test_numbers_that_octal_cannot_hold_are_read_from_base_256() -> None:
    huge, member = 1 << 40, tar_header.Member(b"tables/f", tar_header.FILE)
    header = bytearray(tar_header.encode(member))
    header[124:136] = b"\x80" + huge.to_bytes(11, "big")
    header[136:148] = (-5).to_bytes(12, "big", signed=True)
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    found = next(iter(tar_reader(bytes(header))))
    assert (found.size, found.mtime_ns) == (huge, -5 * 10**9)


@given(
    st.lists(
        st.one_of(st.binary(max_size=300), st.sampled_from(["checkpoint", "rewind"])), max_size=12
    ),
    st.integers(1, 400),
    st.integers(1, 700),
)
def test_a_member_of_any_segments_is_one_that_everybody_reads(
    steps: list[bytes | str], compress_at: int, read_size: int
) -> None:
    file, expected = io.BytesIO(), b""
    with mock.patch.object(gzip_writer, "_COMPRESS_AT", compress_at):
        writer = GzipWriter(file)
        kept = writer.checkpoint(), expected
        for step in steps:
            if step == "checkpoint":
                kept = writer.checkpoint(), expected
            elif step == "rewind":
                checkpoint, expected = kept
                writer.rewind(checkpoint)
            elif isinstance(step, bytes):
                writer.write(step)
                expected += step
        size = writer.finish(table_count=3)

    assert size == len(file.getvalue())
    assert gzip.decompress(file.getvalue()) == expected
    file.seek(0)
    summary = read_summary(file)
    file.seek(0)
    reader = GzipReader(file)
    assert _read_all(reader, read_size) == expected
    assert summary == Summary(size, 3, reader.body_crc)


def test_what_was_written_since_a_checkpoint_can_be_forgotten_from_the_disk_too() -> None:
    """More than a compressor keeps to itself."""
    file, noise = io.BytesIO(), random.Random(60).randbytes(2 << 20)
    writer = GzipWriter(file)
    writer.write(b"kept")
    checkpoint = writer.checkpoint()
    writer.write(noise)
    assert len(file.getvalue()) > checkpoint.offset
    writer.rewind(checkpoint)
    size = writer.finish(table_count=0)

    assert size == len(file.getvalue()) < 100
    assert gzip.decompress(file.getvalue()) == b"kept"
    file.seek(0)
    summary = read_summary(file)
    file.seek(0)
    reader = GzipReader(file)
    assert _read_all(reader, 100) == b"kept"
    assert summary == Summary(size, 0, reader.body_crc)


def _read_all(reader: GzipReader, size: int) -> bytes:
    parts = []
    while part := reader.read(size):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20, 9_999_999])
@pytest.mark.parametrize("kind", ["zeros", "noise", "text"])
@pytest.mark.parametrize("read_size", [512, 1 << 20, 1 << 30])
def test_a_member_of_any_size_is_read_whole(size: int, kind: str, read_size: int) -> None:
    """About the chunk sizes of the reader, and compressed from 1 : 1 to 1 : 1000."""
    content = {
        "zeros": lambda: bytes(size),
        "noise": lambda: random.Random(size).randbytes(size),
        "text": lambda: (b"key.%d|value\n" * (size // 13 + 1))[:size],
    }[kind]()
    for packer in (gzip.compress, _compressed):
        assert _read_all(GzipReader(io.BytesIO(packer(content))), read_size) == content


def _compressed(content: bytes) -> bytes:
    file = io.BytesIO()
    writer = GzipWriter(file)
    writer.write(content)
    writer.finish(table_count=0)
    return file.getvalue()


@pytest.mark.parametrize("offset", range(-12, 13))
def test_a_member_that_ends_about_a_chunks_end_is_read_whole(offset: int) -> None:
    """The trailer may stretch across what is read from the file at a time."""
    noise = random.Random(60).randbytes(1 << 21)
    for chunk_end in (1 << 16, (1 << 16) + (1 << 20)):
        size, compressed = chunk_end, b""
        for _ in range(20):
            compressed = _compressed(noise[:size])
            size += chunk_end + offset - len(compressed)
        assert abs(len(compressed) - chunk_end) <= 12
        content = noise[: len(gzip.decompress(compressed))]
        assert _read_all(GzipReader(io.BytesIO(compressed)), 1 << 20) == content


def test_every_optional_part_of_a_gzip_header_is_skipped() -> None:
    plain = gzip.compress(b"content", mtime=0)
    for flags, extra in [
        (0x04, b"\x05\x00extra"),
        (0x08, b"name\0"),
        (0x10, b"comment\0"),
        (0x1D, b"\x02\x00xyname\0comment\0"),
    ]:
        member = plain[:3] + bytes([flags]) + plain[4:10] + extra + plain[10:]
        assert _read_all(GzipReader(io.BytesIO(member)), 100) == b"content"


@pytest.mark.parametrize(
    "after",
    [b"x", b"x" * 100, b"\0x", b"\0" * 200_000 + b"x", b"\x1f", gzip.compress(b"another")[:-1]],
    ids=["byte", "text", "zero-byte", "late-byte", "half-magic", "cut-member"],
)
def test_other_bytes_after_the_last_member_are_damage(after: bytes) -> None:
    with pytest.raises(GzipDamaged, match=r"bytes after its end|ends too early"):
        _read_all(GzipReader(io.BytesIO(gzip.compress(b"content") + after)), 100)


@pytest.mark.parametrize("size", [1, 2, 511, 512, 10_240, 1 << 17, 300_000])
def test_zero_bytes_after_the_last_member_are_padding(size: int) -> None:
    padded = gzip.compress(b"content") + bytes(size)
    assert _read_all(GzipReader(io.BytesIO(padded)), 100) == b"content"


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=6), st.integers(1, 700))
def test_several_members_are_read_as_one(contents: list[bytes], read_size: int) -> None:
    file = io.BytesIO(b"".join(map(gzip.compress, contents)))
    assert _read_all(GzipReader(file), read_size) == b"".join(contents)


def test_a_gzip_header_of_any_size_is_skipped() -> None:
    """Extra data may have 64 KiB, and texts have no limit but ours."""
    plain = gzip.compress(b"content", mtime=0)
    extra = b"\xff\xff" + bytes(range(256)) * 256
    for text in (b"n" * 60_000, b"n" * MAX_GZIP_TEXT):
        header = (
            plain[:3] + b"\x1c" + plain[4:10] + extra[: 2 + 0xFFFF] + text + b"\0" + text + b"\0"
        )
        member = header + plain[10:]
        assert _read_all(GzipReader(io.BytesIO(member * 2)), 100) == b"content" * 2
    with pytest.raises(LimitExceeded):
        _read_all(GzipReader(io.BytesIO(header[:-1] + b"n\0" + plain[10:])), 100)


def test_a_gzip_header_that_its_own_checksum_denies_is_damage() -> None:
    plain = gzip.compress(b"content", mtime=0)
    head = plain[:3] + b"\x02" + plain[4:10]
    for crc, sound in ((zlib.crc32(head) & 0xFFFF, True), (0x1234, False)):
        reader = GzipReader(io.BytesIO(head + crc.to_bytes(2, "little") + plain[10:]))
        if sound:
            assert _read_all(reader, 100) == b"content"
        else:
            with pytest.raises(GzipDamaged, match="its header is damaged"):
                _read_all(reader, 100)


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
        writer.finish(table_count=1)
    with pytest.raises(BackupCorrupted, match="its manifest is missing"):
        _decoded(archive)


def test_a_header_that_counts_other_tables_is_damage(archive: Path) -> None:
    plain = gzip.decompress(archive.read_bytes())
    with archive.open("wb") as file:
        writer = GzipWriter(file)
        writer.write(plain)
        writer.finish(table_count=7)
    with pytest.raises(BackupCorrupted, match="its header counts other tables than it holds"):
        _decoded(archive)


def test_an_archive_that_was_compressed_anew_is_as_good(archive: Path) -> None:
    expected = _decoded(archive)
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes())))
    assert _decoded(archive) == expected
