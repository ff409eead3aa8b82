"""Gzip as it is written and read: members of any shape."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from contextlib import closing
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup.archive import gzip_writer
from reedbase_backup.archive.gzip_header import SIZE, Part, Summary, read_summary
from reedbase_backup.archive.gzip_reader import GzipDamaged, GzipReader
from reedbase_backup.archive.gzip_writer import GzipWriter, Stretch
from reedbase_backup.archive.limits import MAX_GZIP_TEXT, LimitExceeded

pytestmark = pytest.mark.usefixtures("inflated")


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
    with (
        mock.patch.object(gzip_writer, "PIECE", compress_at),
        closing(GzipWriter(file)) as writer,
    ):
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
        size = writer.finish(table_count=3, index=Stretch())

    assert size == len(file.getvalue())
    assert gzip.decompress(file.getvalue()) == expected
    file.seek(0)
    summary = read_summary(file)
    file.seek(0)
    reader = GzipReader(file)
    assert _read_all(reader, read_size) == expected
    assert summary == Summary(size, 3, reader.body_crc, Part(0, 0, 0))


def test_what_was_written_since_a_checkpoint_can_be_forgotten_from_the_disk_too() -> None:
    """More than a compressor keeps to itself."""
    file, noise = io.BytesIO(), random.Random(60).randbytes(2 << 20)
    with closing(GzipWriter(file)) as writer:
        writer.write(b"kept")
        checkpoint = writer.checkpoint()
        for start in range(0, len(noise), 1 << 18):
            writer.write(noise[start : start + (1 << 18)])
        assert len(file.getvalue()) > SIZE + checkpoint.packed.size
        writer.rewind(checkpoint)
        size = writer.finish(table_count=0, index=Stretch())

    assert size == len(file.getvalue()) < 100
    assert gzip.decompress(file.getvalue()) == b"kept"
    file.seek(0)
    summary = read_summary(file)
    file.seek(0)
    reader = GzipReader(file)
    assert _read_all(reader, 100) == b"kept"
    assert summary == Summary(size, 0, reader.body_crc, Part(0, 0, 0))


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
    with closing(GzipWriter(file)) as writer:
        writer.write(content)
        writer.finish(table_count=0, index=Stretch())
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
