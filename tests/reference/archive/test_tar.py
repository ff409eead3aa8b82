"""Tar as it is written and read: what is written comes back."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup.archive.limits import Allowance
from reedbase_backup.archive.tar import header as tar_header
from reedbase_backup.archive.tar.fields import TarDamaged, number
from reedbase_backup.archive.tar.reader import TarReader

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


@given(st.lists(members(), max_size=5))
def test_headers_of_files_are_the_same_one_by_one_and_together(
    contents: list[tuple[tar_header.Member, bytes]],
) -> None:
    files = [replace(member, kind=tar_header.FILE) for member, _ in contents]
    together = tar_header.encode_files([file.name for file in files], [*map(_status, files)])
    assert together == [*map(tar_header.encode, files)]


def _status(file: tar_header.Member) -> os.stat_result:
    """Return what the disk would say of a file like that."""
    named = {"st_mtime_ns": file.mtime_ns}
    mode = stat.S_IFREG | file.mode
    return os.stat_result((mode, 1, 1, 1, file.uid, file.gid, file.size, 0, 0, 0), named)


class Stream(io.BytesIO):
    """A stream of which nothing is at hand."""

    at_hand = (b"", 0)

    def skip(self, size: int) -> None:
        assert size == 0


def tar_reader(content: bytes) -> TarReader:
    return TarReader(Stream(content), Allowance.of(len(content)))


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644),
        (b"   644 \0", 0o644),
        (b"644\0\0\0\0\0", 0o644),
        (b"644\0junk", 0o644),
        (b"00000644", 0o644),
        (b"        ", 0),
        (b"\0" * 8, 0),
        (b"\0" + b"7" * 7, 0),
    ],
)
def test_a_number_is_octal_with_whatever_fills_its_field(field: bytes, value: int) -> None:
    assert number(field) == value


@pytest.mark.parametrize(
    "field",
    [
        b"0000648\0",
        b"0000_44\0",
        b"+000644\0",
        b"-000644\0",
        b"0o00644\0",
        b"64 4  \0\0",
        b"  6x  \0\0",
    ],
)
def test_a_number_that_is_not_octal_is_damage(field: bytes) -> None:
    with pytest.raises(TarDamaged, match="not octal"):
        number(field)


def test_numbers_that_octal_cannot_hold_are_read_from_base_256() -> None:
    huge, member = 1 << 40, tar_header.Member(b"tables/f", tar_header.FILE)
    header = bytearray(tar_header.encode(member))
    header[124:136] = b"\x80" + huge.to_bytes(11, "big")
    header[136:148] = (-5).to_bytes(12, "big", signed=True)
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    found = next(iter(tar_reader(bytes(header))))
    assert (found.size, found.mtime_ns) == (huge, -5 * 10**9)
