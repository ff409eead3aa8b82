"""Deltas: what the port writes it reads, and damage is named as the baseline names it."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reedbase_backup.errors import DecompressionFailed, DeltaApplicationFailed
from reedbase_backup.last.versions import delta
from reedbase_backup.last.versions.bsdiff_stream import encode
from reedbase_backup.last.versions.stream import CHUNK

CONTENTS = st.binary(max_size=300) | st.text("ab|\n", max_size=300).map(str.encode)


_LENGTHS = [0, 1, 24, CHUNK // 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]


def _runs(byte: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(_LENGTHS).map(lambda length: byte * length)


def record(mix: int, add: int, seek: int, body: bytes = b"") -> bytes:
    return struct.pack("<QQQ", mix, add, seek) + body


def application_error(old: bytes, stream: bytes) -> str:
    with pytest.raises(DeltaApplicationFailed) as caught:
        delta.apply(old, delta.compress(stream))
    return caught.value.reason


def decompression_error(damaged: bytes) -> str:
    with pytest.raises(DecompressionFailed) as caught:
        delta.decompress(damaged)
    return caught.value.reason


@given(CONTENTS, CONTENTS)
@example(b"", b"")
@example(b"a", b"")
@example(b"", b"a")
@example(b"aXa", b"aa")
@example(b"aaaa", b"aaa")
def test_a_diff_turns_the_old_content_into_the_new(old: bytes, new: bytes) -> None:
    assert delta.apply(old, delta.diff(old, new)) == new


@given(CONTENTS, st.data())
def test_a_splice_replaces_what_it_says(old: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    new = data.draw(CONTENTS)
    spliced = delta.splice(old, start, end, new)
    assert delta.apply(old, spliced) == old[:start] + new + old[end:]


@given(st.binary(min_size=1, max_size=5000), st.data())
def test_mixed_bytes_are_added_modulo_256(old: bytes, data: st.DataObject) -> None:
    mixed = bytes(
        data.draw(
            st.lists(
                st.sampled_from([0, 0, 0, 1, 127, 128, 255]), min_size=len(old), max_size=len(old)
            )
        )
    )
    stream = encode([(len(old), 0, 0)], mixed, b"")
    added = bytes((a + b) % 256 for a, b in zip(old, mixed, strict=True))
    assert delta.apply(old, delta.compress(stream)) == added


@given(st.binary(max_size=40), st.data())
def test_stretches_are_taken_from_wherever_the_records_say(old: bytes, data: st.DataObject) -> None:
    controls, new, mixed, extras, at = [], bytearray(), bytearray(), bytearray(), 0
    for _ in range(data.draw(st.integers(0, 5))):
        added = data.draw(st.sampled_from([b"", b"\0\0", b"\0\1", b"\3\0"]))
        added = added[: len(old) - at]
        extra = data.draw(st.sampled_from([b"", b"+", b"++"]))
        goal = data.draw(st.integers(0, len(old)))
        controls.append((len(added), len(extra), goal - at - len(added)))
        new += bytes((a + b) % 256 for a, b in zip(old[at:], added, strict=False)) + extra
        mixed += added
        extras += extra
        at = goal
    stream = encode(controls, bytes(mixed), bytes(extras))
    assert delta.apply(old, delta.compress(stream)) == new


@pytest.mark.parametrize("size", [CHUNK - 25, CHUNK - 24, CHUNK, 3 * CHUNK - 24, 3 * CHUNK])
@pytest.mark.parametrize("changed", [(), (0,), (-1,), (CHUNK // 2,), (0, CHUNK // 2, -1)])
def test_a_block_beyond_a_chunk_is_left_as_it_is_but_where_it_changes(
    size: int, changed: Sequence[int]
) -> None:
    old = bytes(number % 251 for number in range(size))
    mixed, new = bytearray(size), bytearray(old)
    for at in changed:
        mixed[at], new[at] = 5, (old[at] + 5) % 256
    extra = bytes(number % 7 for number in range(size))
    stream = encode([(size, size, -size), (size, 0, 0)], bytes(mixed) * 2, extra)
    assert delta.apply(old, delta.compress(stream)) == new + extra + new


@given(st.lists(st.sampled_from([b"\0", b"\1"]).flatmap(_runs), max_size=4), st.data())
def test_a_stream_is_what_was_compressed(runs: list[bytes], data: st.DataObject) -> None:
    content = b"".join(runs)
    stream = delta.decompress(delta.compress(content))
    assert len(stream) == len(content)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    part = content[start:end]
    assert stream.part(start, end) == part
    assert stream.is_zero(start, end) == (part == bytes(len(part)))


def test_a_delta_is_written_at_the_baselines_preset_with_its_check() -> None:
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    decoder.decompress(delta.diff(b"old", b"new content"))
    assert decoder.check == lzma.CHECK_CRC64
    assert delta.compress(b"x") == lzma.compress(b"x", preset=6)


def test_an_empty_version_is_an_empty_stream() -> None:
    assert lzma.decompress(delta.diff(b"old", b"")) == b""
    assert delta.apply(b"old", delta.compress(b"")) == b""


# Kinds and their order were compared with the crate bsdiff 0.2.1.
@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b"x" * 23, "UnexpectedEof"),
        (record(3, 0, 0, b"12"), "UnexpectedEof"),
        (record(0, 3, 0, b"12"), "UnexpectedEof"),
        (record(4, 0, 0, b"1234"), "UnexpectedEof"),
        (record(2**63 + 2, 0, 0), "UnexpectedEof"),
        (record(2**64 - 1, 1, 0), "InvalidData"),
        (record(0, 0, 2**63 + 1), "InvalidData"),
        (record(1, 0, 2**63 + 2, b"\0"), "InvalidData"),
        (record(3, 0, 2**63 - 1, b"\0\0\0"), "InvalidData"),
        (record(0, 0, 4) + record(0, 0, 0), "UnexpectedEof"),
        (record(4, 0, 2**63 + 9, b"1234"), "UnexpectedEof"),
        (record(0, 0, 2**63 + 1) + b"x", "InvalidData"),
        (record(4, 0, 0, b"1234") + record(0, 0, 2**63 + 1), "UnexpectedEof"),
    ],
)
def test_a_stream_that_does_not_fit_is_named_by_its_first_fault(stream: bytes, kind: str) -> None:
    assert application_error(b"old", stream) == f"bspatch error: Kind({kind})"


@pytest.mark.parametrize(
    ("stream", "new"),
    [
        (record(0, 0, 0), b""),
        (record(3, 0, 99, b"\0\0\0"), b"old"),
        (record(3, 0, 2**63 + 3, b"\0\0\0") + record(1, 1, 2**63, b"\0!"), b"oldo!"),
        (record(0, 0, 3) + record(0, 1, 0, b"!"), b"!"),
    ],
)
def test_a_stream_that_ends_between_records_ends_the_version(stream: bytes, new: bytes) -> None:
    assert delta.apply(b"old", delta.compress(stream)) == new


def test_every_shortened_delta_is_a_premature_end() -> None:
    whole = delta.diff(b"a" * 100, b"a" * 50 + b"b" * 50)
    for length in range(len(whole)):
        assert decompression_error(whole[:length]) == "XZ read error: premature eof"


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 8, b"x", delta.compress(b"")])
def test_anything_after_the_stream_is_a_corrupt_stream(tail: bytes) -> None:
    damaged = delta.diff(b"a", b"b") + tail
    assert decompression_error(damaged) == "XZ read error: corrupt xz stream"


def test_every_flipped_bit_of_a_delta_is_reported() -> None:
    whole = delta.diff(b"some old content", b"some quite new content")
    reasons = set()
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            reason = decompression_error(bytes(damaged))
            # Only the magic bytes make it another format.
            assert reason.endswith("not recognized") == (position < 6), position
            reasons.add(reason)
    assert reasons == {
        "XZ read error: stream/file format not recognized",
        "XZ read error: lzma data error",
        "XZ read error: premature eof",
    }


def test_reserved_stream_flags_are_invalid_options() -> None:
    damaged = bytearray(delta.compress(b"x"))
    damaged[6] = 1
    damaged[8:12] = zlib.crc32(damaged[6:8]).to_bytes(4, "little")
    assert decompression_error(bytes(damaged)) == "XZ read error: invalid options"


@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256])
def test_any_check_of_xz_is_accepted(check: int) -> None:
    stream = delta.decompress(lzma.compress(b"stream", check=check))
    assert stream.part(0, len(stream)) == b"stream"
