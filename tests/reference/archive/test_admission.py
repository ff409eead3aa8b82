"""What gzip and tar accept, decided case by case as the docstring of `archive` says.

list, verify and restore agree on each.
"""

from __future__ import annotations

import gzip
import random
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import FindTool, TakeSnapshot
from reference.archive.members import END, TABLES, header, member, pax, record

from reedbase_backup import (
    BackupCorrupted,
    BackupUnsafe,
    ReedError,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.verify import verify

FILE = member(b"tables/t/more.csv", b"more")

TAR = TABLES + FILE + END


def with_header(flags: int, extra: bytes) -> bytes:
    packed = gzip.compress(TAR, mtime=0)
    return packed[:3] + bytes([flags]) + packed[4:10] + extra + packed[10:]


def in_pieces(size: int) -> bytes:
    return b"".join(gzip.compress(TAR[at : at + size]) for at in range(0, len(TAR), size))


def signed(block: bytes) -> bytes:
    """A header with the checksum of old systems, whose bytes were signed."""
    spaced = block[:148] + b" " * 8 + block[156:]
    checksum = sum(byte - 256 if byte > 127 else byte for byte in spaced)
    return block[:148] + b"%06o\0 " % checksum + block[156:]


def with_header_checksum(packed: bytes) -> bytes:
    head = packed[:3] + b"\x02" + packed[4:10]
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + packed[10:]


READ = {
    "one zero byte after the member": gzip.compress(TAR) + b"\0",
    "a tape's padding after the member": gzip.compress(TAR) + bytes(10_240),
    "several gzip members": in_pieces(700),
    "several gzip members and padding": in_pieces(512) + bytes(512),
    "an empty gzip member first": gzip.compress(b"") + gzip.compress(TAR),
    "an empty gzip member last, as bgzip's": gzip.compress(TAR) + gzip.compress(b""),
    "two files joined by cat": gzip.compress(TABLES) + gzip.compress(FILE + END),
    "a gzip header with a name": with_header(0x08, b"backup.tar\0"),
    "a gzip header with a comment": with_header(0x10, b"of tuesday\0"),
    "a gzip header with extra data": with_header(0x04, b"\x06\x00Ap\x02\x00xy"),
    "a gzip header with a checksum of its own": with_header_checksum(gzip.compress(TAR)),
    "an uncompressed deflate stream": gzip.compress(TAR, 0),
    "a single zero block at the end": gzip.compress(TABLES + FILE + bytes(512)),
    "an end of many blocks": gzip.compress(TABLES + FILE + bytes(512 * 33)),
    "a volume label": gzip.compress(member(b"Tuesday", kind=b"V") + TAR),
    "a global pax header": gzip.compress(
        member(b"g", record(b"comment", b"0f" * 20), kind=b"g") + TAR
    ),
    "a pax path that takes itself back": gzip.compress(
        pax(record(b"path", b"tables/u"), record(b"path", b"")) + TAR
    ),
    "vendors' pax records": gzip.compress(pax(record(b"SCHILY.xattr.user.x", b"\0\xff")) + TAR),
    "a signed checksum": gzip.compress(TABLES + FILE + signed(header(b"tables/t/\xe9\xff")) + END),
    "contiguous files": gzip.compress(
        TABLES + member(b"tables/t/more.csv", b"more", kind=b"7") + END
    ),
    "a hard link with ./": gzip.compress(
        TAR[: -len(END)]
        + member(b"./tables/t/linked", kind=b"1", link=b"././tables//t/more.csv")
        + END
    ),
}

DAMAGED = {
    "text after the member": (gzip.compress(TAR) + b"x", "other bytes after its end"),
    "text after the padding": (gzip.compress(TAR) + bytes(512) + b"x", "other bytes after its end"),
    "half a second member": (in_pieces(1024)[:-9], "ends too early"),
    "a second member whose checksum is wrong": (in_pieces(2000)[:-5] + b"\0" * 5, "checksum"),
    "no end mark": (gzip.compress(TABLES + FILE), "it has no end mark, so it may be only a part"),
    "no end mark in several members": (
        gzip.compress(TABLES) + gzip.compress(FILE),
        "it has no end mark, so it may be only a part",
    ),
    "a gzip header that its own checksum denies": (with_header(0x02, b"ab"), "header is damaged"),
}

REFUSED = {
    "a second archive, as cat makes it": (
        gzip.compress(TAR) + gzip.compress(TAR),
        "after the end of the archive, such as a second archive",
    ),
    "an incremental dump": (
        gzip.compress(member(b"tables/", b"Yt\0\0", kind=b"D") + TAR),
        "incremental dump .pack it without --listed-incremental",
    ),
    "a part of another volume": (
        gzip.compress(member(b"tables/t/x", b"x", kind=b"M") + TAR),
        "begins in another volume",
    ),
    "a sparse file": (gzip.compress(member(b"tables/t/x", kind=b"S") + TAR), "without --sparse"),
}


@pytest.fixture
def put(base: Path) -> Callable[[bytes], Path]:
    def write(packed: bytes) -> Path:
        (base / "backups").mkdir(exist_ok=True)
        (base / "backups" / "1000.tar.gz").write_bytes(packed)
        return base

    return write


def accepted_by_tools(tool: FindTool, packed: bytes, folder: Path) -> bool:
    path = folder / "tried.tar.gz"
    path.write_bytes(packed)
    tested = subprocess.run([tool("gzip"), "-t", path], capture_output=True)
    listed = subprocess.run([tool("tar"), "tzf", path], capture_output=True)
    path.unlink()
    return (tested.returncode, listed.returncode) == (0, 0)


@pytest.mark.parametrize("case", READ)
def test_what_is_read_is_listed_verified_and_restored(
    put: Callable[[bytes], Path], tool: FindTool, tmp_path: Path, case: str
) -> None:
    if "checksum of its own" not in case:  # gzip 1.9 and older refuse that
        assert accepted_by_tools(tool, READ[case], tmp_path)
    base = put(READ[case])
    assert [(info.id, info.table_count) for info in list_backups(base)] == [("1000", 1)]
    assert verify(base)[0].is_sound
    restore_point_in_time(base, 1000)
    assert (base / "tables" / "t" / "current.csv").read_bytes() == b"k|v\n"
    assert (base / "tables" / "t" / "more.csv").read_bytes() == b"more"


@pytest.mark.parametrize(
    ("packed", "words", "kind"),
    [
        *(pytest.param(*given, BackupCorrupted, id=case) for case, given in DAMAGED.items()),
        *(pytest.param(*given, BackupUnsafe, id=case) for case, given in REFUSED.items()),
    ],
)
def test_what_is_not_read_is_refused_for_its_true_reason(
    put: Callable[[bytes], Path],
    snapshot: TakeSnapshot,
    packed: bytes,
    words: str,
    kind: type[ReedError],
) -> None:
    base = put(packed)
    before = snapshot(base)
    with pytest.raises(kind, match=words) as caught:
        restore_point_in_time(base, 1000)
    assert snapshot(base) == before
    (one,) = verify(base)
    assert isinstance(one.damage, ReedError)
    assert str(one.damage) == str(caught.value)
    assert list_backups(base) == []


def test_an_archive_of_ours_that_is_longer_or_shorter_says_by_how_much(base: Path) -> None:
    archive = base / "backups" / f"{create_backup(base).id}.tar.gz"
    whole = archive.read_bytes()
    for packed, words in ((whole + bytes(3), "3 bytes longer"), (whole[:-7], "7 bytes shorter")):
        archive.write_bytes(packed)
        with pytest.raises(BackupCorrupted, match=words):
            restore_point_in_time(base, 2**63)


def test_damage_that_makes_a_member_look_hostile_is_said_to_be_damage(
    put: Callable[[bytes], Path],
) -> None:
    """Only the checksum at the very end tells, far behind the member."""
    noise = random.Random(60).randbytes(3 << 20)
    tar = TABLES + header(b"tables/x") + member(b"tables/noise", noise) + END
    symlink = TABLES + header(b"tables/x", b"2") + member(b"tables/noise", noise) + END
    sound, hostile = gzip.compress(tar, 0), gzip.compress(symlink, 0)
    base = put(hostile[:-8] + sound[-8:])
    assert list_backups(base) == []
    with pytest.raises(BackupCorrupted, match="checksum is wrong"):
        restore_point_in_time(base, 1000)
    base = put(hostile)
    with pytest.raises(BackupUnsafe, match="symbolic link"):
        restore_point_in_time(base, 1000)
