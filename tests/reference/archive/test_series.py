"""What is read the short way, as the member before it was, is read as it would be by itself."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.archive.members import member, pax, record

from reedbase_backup import BackupUnsafe, ReedError
from reedbase_backup.archive import gzip_reader
from reedbase_backup.archive.admission import ArchiveEntry
from reedbase_backup.archive.gzip_reader import GzipReader
from reedbase_backup.archive.limits import NAME_COST, Allowance
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.archive.tar import reader
from reedbase_backup.archive.tar.fields import Series, TarDamaged, decode
from reedbase_backup.archive.tar.header import (
    BLOCK,
    END_OF_ARCHIVE,
    FILE,
    FOLDER,
    HARD_LINK,
    Member,
    encode,
    padding,
)

FIRST = Member(b"tables/t/1.bsdiff", FILE, 0o640, 1_700_000_000 * 10**9, 100, 1000, 1000)
SECOND = replace(FIRST, name=b"tables/t/2.bsdiff", size=3, mtime_ns=1_700_000_001 * 10**9)


def series() -> Series:
    begun = Series.begun(encode(FIRST), FIRST)
    assert begun is not None
    return begun


def read(series: Series, header: bytes, first: Member = FIRST) -> Member | None:
    """Return the member of `header` as the series of `first` has it; None if it leaves it alone."""
    files, end = series.files(header + bytes(BLOCK), 0)
    if not files:
        assert end == 0
        return None
    ((leaf, mtime_ns, content),) = files
    assert end == BLOCK + len(content) + len(padding(len(content)))
    return replace(first, name=b"tables/t/" + leaf, mtime_ns=mtime_ns, size=len(content))


def summed(block: bytearray) -> bytes:
    """Return the header with a checksum that is right."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_a_header_that_differs_in_name_size_and_time_alone_goes_the_short_way() -> None:
    assert read(series(), encode(SECOND)) == SECOND


def test_one_of_the_standard_librarys_does_too() -> None:
    blocks = []
    for one in (FIRST, SECOND):
        info = tarfile.TarInfo(one.name.decode())
        info.size, info.mtime, info.uname = one.size, one.mtime_ns // 10**9, "somebody"
        blocks.append(info.tobuf(tarfile.GNU_FORMAT))
    begun = Series.begun(blocks[0], decode(blocks[0]))
    assert begun is not None
    assert read(begun, blocks[1], decode(blocks[0])) == decode(blocks[1])


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
        found = read(series(), header)
        taken += found is not None
        assert found in (None, expected), place
    assert taken or not is_summed


@pytest.mark.parametrize("size", [-1, 1 << 40, 1 << 64])
def test_numbers_that_are_not_octal_go_the_long_way_which_has_limits(size: int) -> None:
    block = bytearray(encode(SECOND))
    block[124:136] = bytes([0xFF if size < 0 else 0x80]) + (size % (1 << 88)).to_bytes(11, "big")
    assert decode(summed(block)).size == size
    assert read(series(), summed(block)) is None


@pytest.mark.parametrize("name", [b"tables/t/", b"tables/t/.", b"tables/t/.."])
def test_a_name_that_is_not_of_a_file_makes_none(name: bytes) -> None:
    one = replace(FIRST, name=name)
    assert Series.begun(encode(one), one) is None


@pytest.mark.parametrize("kind", [FOLDER, HARD_LINK, b"2"])
def test_only_files_make_a_series(kind: bytes) -> None:
    one = replace(FIRST, kind=kind)
    assert Series.begun(encode(one), one) is None


def test_a_name_that_has_its_beginning_elsewhere_makes_none() -> None:
    info = tarfile.TarInfo("tables/" + "t" * 60 + "/" + "f" * 60)
    block = info.tobuf(tarfile.USTAR_FORMAT)
    assert decode(block).name.startswith(b"tables/")
    assert Series.begun(block, decode(block)) is None


@pytest.mark.parametrize(
    "name",
    [b"tables/u/2", b"tables/2", b"tables/t/u/2", b"tables/t/", b"tables/t/.", b"tables/t/.."],
)
def test_a_name_that_is_not_of_a_file_beside_the_first_ends_a_series(name: bytes) -> None:
    assert read(series(), encode(replace(SECOND, name=name))) is None


def test_files_are_read_up_to_the_first_that_is_not_whole() -> None:
    one = encode(SECOND) + b"abc" + padding(3)
    for missing in range(1, len(one)):
        data = b"before" + one + one[: len(one) - missing]
        assert series().files(data, 6) == ([(b"2.bsdiff", SECOND.mtime_ns, b"abc")], 6 + len(one))


# Archives ---------------------------------------------------------------------------

# Rarely one twice; of those that are no file's, or not in this folder, some.
LEAVES = st.integers(0, 200).map(b"%d".__mod__) | st.sampled_from(
    [b"a", b".lock", b".", b"..", b"", b"\xff", b"a\0b", b"e/f"]
)
FOLDERS = st.sampled_from([b"tables/t"] * 6 + [b"./tables/t", b"tables", b"indices/t", b"beside"])
NAMES = st.tuples(FOLDERS, LEAVES).map(b"/".join)
RARELY = st.sampled_from([False] * 5 + [True])
KINDS = st.sampled_from([FILE] * 20 + [FOLDER, HARD_LINK, b"2"])
CONTENTS = st.integers(0, 1100).map(lambda size: b"content "[: size % 9] * (size // 8))
# As whoever reads for a restore does: entries, and the content of those that differ.
WAYS = ("one by one", "all", "some", "none", "through")


def members_of(data: st.DataObject) -> bytes:
    """Return a tar stream, of which most members are files of one folder."""
    stream = member(b"tables", kind=FOLDER) + member(b"tables/t/a")
    for name in data.draw(st.lists(NAMES, max_size=12)):
        kind = data.draw(KINDS)
        content = data.draw(CONTENTS) if kind == FILE else b""
        mode = 0o600 if data.draw(RARELY) else 0o644
        mtime = data.draw(st.integers(0, 2**33 - 1))
        link = b"tables/t/a" if kind == HARD_LINK else b""
        if data.draw(RARELY):
            stream += pax(record(b"uid", b"7"), record(b"mtime", b"8"))
        stream += member(name, content, kind=kind, mode=mode, mtime=mtime, link=link)
    return stream + END_OF_ARCHIVE


def what_came(
    archive: bytes, way: str, entries: list[ArchiveEntry] | None = None
) -> Contents | tuple[type[ReedError], str]:
    """Return what an archive holds, read in one of the `WAYS`; in words what is wrong with it."""
    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        file.write(archive)
        file.flush()
        if way == "one by one":
            patch.setattr(GzipReader, "at_hand", (b"", 0))
        archive_reader = ArchiveReader(file, "1.tar.gz")
        try:
            if way == "through":
                return archive_reader.read_through()
            for number, entry in enumerate(archive_reader):
                if way in ("one by one", "all") or (way == "some" and number % 2):
                    assert sum(map(len, archive_reader.chunks())) == entry.size or entry.same_as
                if entries is not None:
                    entries.append(entry)
        except ReedError as error:
            return type(error), str(error)
    assert archive_reader.contents is not None
    return archive_reader.contents


@given(st.data(), st.sampled_from([512, 600, 1536, 1 << 20]))
def test_whatever_an_archive_holds_it_is_read_as_if_each_file_were_read_by_itself(
    data: st.DataObject, piece: int
) -> None:
    stream = bytearray(members_of(data))
    if data.draw(RARELY):
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    archive = gzip.compress(stream, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzip_reader, "_OUTPUT", piece)
        entries: dict[str, list[ArchiveEntry]] = {way: [] for way in WAYS}
        expected, *found = [what_came(archive, way, entries[way]) for way in WAYS]
    assert found == [expected] * len(found)
    if isinstance(expected, Contents):
        assert entries["all"] == entries["some"] == entries["none"] == entries["one by one"]


@pytest.mark.parametrize("way", ["one by one", "all", "some", "none"])
def test_what_an_extension_says_is_of_one_file_alone(way: str) -> None:
    files = pax(record(b"uid", b"7")) + member(b"tables/t/1") + member(b"tables/t/2")
    entries: list[ArchiveEntry] = []
    what_came(gzip.compress(files + END_OF_ARCHIVE), way, entries)
    assert [(entry.name, entry.uid) for entry in entries] == [("tables/t/1", 7), ("tables/t/2", 0)]


def archive_of(*names: bytes, size: int = 0) -> bytes:
    return gzip.compress(b"".join(member(name, bytes(size)) for name in names) + END_OF_ARCHIVE)


@pytest.mark.parametrize(("way", "decoded"), [("one by one", 9), ("all", 1), ("through", 1)])
def test_of_files_of_a_folder_the_first_header_alone_is_decoded(
    way: str, decoded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks: list[bytes] = []

    def noted(block: bytes) -> Member:
        blocks.append(block)
        return decode(block)

    monkeypatch.setattr(reader, "decode", noted)
    found = what_came(archive_of(*[b"tables/t/%d" % n for n in range(9)], size=600), way)
    assert isinstance(found, Contents), found
    assert len(blocks) == decoded


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_comes_twice_in_a_folder_is_refused(way: str) -> None:
    names = (b"tables/t/.lock", b"tables/t/1", b"tables/t/2", b"tables/t/1")
    assert what_came(archive_of(*names), way) == (
        BackupUnsafe,
        str(BackupUnsafe("tables/t/1", "the archive holds it twice")),
    )


@pytest.mark.parametrize("way", WAYS)
def test_each_file_of_a_folder_counts_against_the_limits(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(*[b"tables/t/%d" % n for n in range(4)], size=1000)
    ample = Allowance.of(1 << 20)
    for limit, cost in [
        ("content", 4000),
        (
            "names",
            sum(NAME_COST + len(name) for name in ("tables", "tables/t")) + 4 * (NAME_COST + 10),
        ),
        ("headers", 4 * BLOCK),
    ]:
        allowance = replace(ample, **{limit: cost})
        monkeypatch.setattr(Allowance, "of", lambda _, allowance=allowance: replace(allowance))
        assert isinstance(what_came(archive, way), Contents), limit
        setattr(allowance, limit, cost - 1)
        assert not isinstance(what_came(archive, way), Contents), limit
