"""What is read the short way, as the member before it was, is read as it would be by itself."""

from __future__ import annotations

import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup import BackupUnsafe
from reedbase_backup.archive.admission import Admission, ArchiveEntry
from reedbase_backup.archive.limits import Allowance
from reedbase_backup.archive.manifest import NO_DIGEST
from reedbase_backup.archive.tar.fields import Series, TarDamaged, decode
from reedbase_backup.archive.tar.header import FILE, FOLDER, HARD_LINK, Member, encode

FIRST = Member(b"tables/t/1.bsdiff", FILE, 0o640, 1_700_000_000 * 10**9, 100, 1000, 1000)
SECOND = replace(FIRST, name=b"tables/t/2.bsdiff", size=3, mtime_ns=1_700_000_001 * 10**9)


def series() -> Series:
    begun = Series.begun(encode(FIRST), FIRST)
    assert begun is not None
    return begun


def summed(block: bytearray) -> bytes:
    """Return the header with a checksum that is right."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_a_header_that_differs_in_name_size_and_time_alone_goes_the_short_way() -> None:
    assert series().next(encode(SECOND)) == SECOND


def test_one_of_the_standard_librarys_does_too() -> None:
    blocks = []
    for member in (FIRST, SECOND):
        info = tarfile.TarInfo(member.name.decode())
        info.size, info.mtime, info.uname = member.size, member.mtime_ns // 10**9, "somebody"
        blocks.append(info.tobuf(tarfile.GNU_FORMAT))
    begun = Series.begun(blocks[0], decode(blocks[0]))
    assert begun is not None
    assert begun.next(blocks[1]) == decode(blocks[1])


@pytest.mark.parametrize("is_summed", [True, False], ids=["checksum-right", "checksum-wrong"])
@pytest.mark.parametrize("value", [0, 1, 0x2F, 0x38, 0x80, 0xFF])
def test_whatever_byte_differs_the_short_way_says_what_the_long_one_says_or_nothing(
    value: int, is_summed: bool
) -> None:
    taken = 0
    for place in range(512):
        block = bytearray(encode(SECOND))
        block[place] = value
        header = summed(block) if is_summed else bytes(block)
        try:
            expected = decode(header)
        except TarDamaged:
            expected = None
        try:
            found = series().next(header)
        except TarDamaged:
            assert expected is None
            continue
        taken += found is not None
        assert found in (None, expected), place
    assert taken or not is_summed


@pytest.mark.parametrize("size", [-1, 1 << 40, 1 << 64])
def test_numbers_that_are_not_octal_go_the_long_way_which_has_limits(size: int) -> None:
    block = bytearray(encode(SECOND))
    block[124:136] = bytes([0xFF if size < 0 else 0x80]) + (size % (1 << 88)).to_bytes(11, "big")
    assert decode(summed(block)).size == size
    assert series().next(summed(block)) is None


@pytest.mark.parametrize("kind", [FOLDER, HARD_LINK, b"2"])
def test_only_files_make_a_series(kind: bytes) -> None:
    member = replace(FIRST, kind=kind)
    assert Series.begun(encode(member), member) is None


def test_a_name_that_has_its_beginning_elsewhere_makes_none() -> None:
    info = tarfile.TarInfo("tables/" + "t" * 60 + "/" + "f" * 60)
    block = info.tobuf(tarfile.USTAR_FORMAT)
    assert decode(block).name.startswith(b"tables/")
    assert Series.begun(block, decode(block)) is None


# Names ------------------------------------------------------------------------------

PARTS = st.sampled_from([b"tables", b"t", b"u", b"f", b".", b"..", b"", b".lock", b"\xff", b"a\0b"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map(b"/".join)
KINDS = st.sampled_from([FILE, FILE, FILE, FOLDER, HARD_LINK])


def admitted(admission: Admission, member: Member) -> ArchiveEntry | str | None:
    """Return what came of `member`, in words where it is refused."""
    try:
        entry = admission.admit(member)
    except BackupUnsafe as error:
        return str(error)
    if entry is not None:
        admission.record(entry, NO_DIGEST if entry.is_folder else "digest")
    return entry


@given(st.lists(st.tuples(NAMES | NAMES.map(lambda name: b"tables/t/" + name), KINDS)))
def test_a_member_is_admitted_as_if_it_did_not_follow_one_of_its_folder(
    members: list[tuple[bytes, bytes]],
) -> None:
    one, other = Admission(Allowance.of(0)), Admission(Allowance.of(0))
    for name, kind in members:
        member = Member(name, kind, size=0, link=b"tables/t/f")
        other._folder = None
        assert admitted(one, member) == admitted(other, member)
    assert one.records == other.records
    assert one.table_count == other.table_count


def test_a_name_that_comes_twice_in_a_folder_is_refused() -> None:
    admission = Admission(Allowance.of(1000))
    for name in (b"tables/t/.lock", b"tables/t/1", b"tables/t/2"):
        assert isinstance(admitted(admission, Member(name, FILE)), ArchiveEntry)
    assert "twice" in str(admitted(admission, Member(b"tables/t/1", FILE)))


def test_each_file_of_a_folder_counts_against_the_limits() -> None:
    admission = Admission(Allowance.of(1))
    assert isinstance(admitted(admission, Member(b"tables/t/1", FILE, size=1000)), ArchiveEntry)
    before = admission._allowance.names
    assert isinstance(admitted(admission, Member(b"tables/t/2", FILE, size=32)), ArchiveEntry)
    assert admission._allowance.names < before
    assert admission._allowance.content == 0
