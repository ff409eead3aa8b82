"""Archives that mean harm are refused whole: contract `ticket`, restore/hostile."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from pathlib import Path
from typing import Protocol

import pytest
from fixture_types import TakeSnapshot
from reference.archive.members import END, TABLES, base_256, header, member, pax, record

from reedbase_backup import (
    BackupCorrupted,
    BackupUnsafe,
    IoError,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.swap import extract

HUGE = 1 << 40


class PlantArchive(Protocol):
    def __call__(self, *blocks: bytes, end: bytes = END) -> Path: ...


@pytest.fixture
def plant(base: Path) -> PlantArchive:
    """Puts an archive of raw tar blocks among the backups, as the newest."""

    def put(*blocks: bytes, end: bytes = END) -> Path:
        (base / "backups").mkdir(exist_ok=True)
        content = gzip.compress(b"".join(blocks) + end)
        (base / "backups" / "1000.tar.gz").write_bytes(content)
        return base

    return put


UNSAFE = {
    "absolute name": member(b"/tables/x", b"!"),
    "absolute name outside": member(b"/etc/x", b"!"),
    "parent in front": member(b"../x", b"!"),
    "parent inside": member(b"tables/../../x", b"!"),
    "parent that stays inside": member(b"tables/a/../b", b"!"),
    "parent at the end": member(b"tables/..", kind=b"5"),
    "absolute by pax": pax(record(b"path", b"/tmp/x")) + member(b"tables/x", b"!"),
    "parent by pax": pax(record(b"path", b"tables/../../x")) + member(b"tables/x", b"!"),
    "parent by GNU long name": member(b"l", b"../x\0", kind=b"L") + member(b"tables/x", b"!"),
    "NUL by pax": pax(record(b"path", b"tables/x\0y")) + member(b"tables/x", b"!"),
    "symlink": member(b"tables/x", kind=b"2", link=b"/etc/passwd"),
    "symlink to folder, then a file through it": member(b"tables/x", kind=b"2", link=b"/tmp")
    + member(b"tables/x/y", b"!"),
    "symlink in place of a root": member(b"indices", kind=b"2", link=b"/tmp"),
    "symlink beside the roots": member(b"elsewhere", kind=b"2", link=b"/tmp"),
    "hard link to a file outside": member(b"tables/x", kind=b"1", link=b"/etc/passwd"),
    "hard link to a parent": member(b"tables/x", kind=b"1", link=b"../../etc/passwd"),
    "hard link to the live tree": member(b"tables/x", kind=b"1", link=b"tables/text/current.csv"),
    "hard link to itself": member(b"tables/x", kind=b"1", link=b"tables/x"),
    "hard link to a later file": member(b"tables/x", kind=b"1", link=b"tables/y")
    + member(b"tables/y", b"!"),
    "hard link to a folder": member(b"tables/x", kind=b"1", link=b"tables/t"),
    "hard link beside the roots": member(b"x", kind=b"1", link=b"tables/t/current.csv"),
    "character device": member(b"tables/x", kind=b"3"),
    "block device": member(b"tables/x", kind=b"4"),
    "FIFO": member(b"tables/x", kind=b"6"),
    "GNU sparse": member(b"tables/x", kind=b"S"),
    "pax sparse": pax(record(b"GNU.sparse.major", b"1")) + member(b"tables/x", b"!"),
    "GNU dump folder": member(b"tables/x", kind=b"D"),
    "unknown kind": member(b"tables/x", kind=b"Z"),
    "kind that is no letter": member(b"tables/x", kind=b"\xff"),
    "the same file twice": member(b"tables/x", b"1") + member(b"tables/x", b"2"),
    "the same file under two spellings": member(b"tables/x", b"1") + member(b"./tables//./x", b"2"),
    "the same folder twice": member(b"tables/x", kind=b"5") + member(b"tables/x/", kind=b"5"),
    "a file, then a folder": member(b"tables/x", b"1") + member(b"tables/x", kind=b"5"),
    "a folder, then a file": member(b"tables/x", kind=b"5") + member(b"tables/x", b"1"),
    "an implied folder, then a file": member(b"tables/x/y", b"1") + member(b"tables/x", b"1"),
    "a file, then a file inside it": member(b"tables/x", b"1") + member(b"tables/x/y", b"1"),
    "a link, then a folder": member(b"tables/x", kind=b"1", link=b"tables/t/current.csv")
    + member(b"tables/x", kind=b"5"),
    "a root that is a file": member(b"indices", b"!"),
    "members of backups/": member(b"backups/1.tar.gz", b"!"),
    "members of registry/": member(b"registry/users.dict", b"!"),
    "a size beyond the disk": member(b"tables/x", size=base_256(1 << 62, 12)),
    "a negative size": member(b"tables/x", size=base_256(-1, 12)),
    "a very negative size": member(b"tables/x", size=base_256(-(1 << 80), 12)),
    "a size of 95 bits": member(b"tables/x", size=base_256(1 << 90, 12)),
    "a size beyond the disk by pax": pax(record(b"size", b"%d" % (1 << 62))) + member(b"tables/x"),
    "a negative size by pax": pax(record(b"size", b"-512")) + member(b"tables/x"),
    "a size of 20 digits by pax": pax(record(b"size", b"9" * 20)) + member(b"tables/x"),
    "a pax header of a gigabyte": header(b"pax", b"x", size=1 << 30),
    "a negative pax header": header(b"pax", b"x", size=base_256(-512, 12)),
    "a global pax header of a gigabyte": header(b"pax", b"g", size=1 << 30),
    "a GNU long name of a gigabyte": header(b"l", b"L", size=1 << 30),
    "a GNU long link of a gigabyte": header(b"l", b"K", size=1 << 30),
    "a name that no path can be": pax(record(b"path", b"tables" + b"/a" * 100_000))
    + member(b"tables/x"),
    "a name of 5000 bytes": pax(record(b"path", b"tables/" + b"a" * 5000)) + member(b"tables/x"),
    "an owner beyond 32 bits": member(b"tables/x", uid=base_256(1 << 40, 8)),
    "a negative owner": member(b"tables/x", gid=base_256(-2, 8)),
    "an owner beyond 32 bits by pax": pax(record(b"uid", b"%d" % HUGE)) + member(b"tables/x"),
    "an mtime of 95 bits": member(b"tables/x", mtime=base_256(1 << 90, 12)),
    "a second archive after the end": END + TABLES,
    "text after the end": END + b"x",
    "text far after the end": END + bytes(1 << 20) + b"x",
    "a part of another volume": member(b"tables/x", b"!", kind=b"M"),
    "an mtime of 20 digits by pax": pax(record(b"mtime", b"9" * 20)) + member(b"tables/x"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_a_hostile_member_is_refused_and_nothing_is_written(
    plant: PlantArchive, snapshot: TakeSnapshot, case: str
) -> None:
    base = plant(TABLES, UNSAFE[case])
    before, beside = snapshot(base), os.listdir(base.parent)

    with pytest.raises(BackupUnsafe):
        restore_point_in_time(base, 1000)

    assert (snapshot(base), os.listdir(base.parent)) == (before, beside)
    assert list_backups(base) == [] or "size beyond" in case


CORRUPTED = {
    "no end": ([TABLES], b""),
    "a cut member": ([TABLES, header(b"tables/x", size=1000), b"short"], b""),
    "a cut header": ([TABLES, header(b"tables/x")[:200]], b""),
    "a wrong checksum": ([TABLES, bytes(148) + header(b"tables/x")[148:]], END),
    "a zero block between members": ([TABLES, bytes(512), TABLES], END),
    "letters for a size": ([TABLES, header(b"tables/x", size=b"00000000abc\0")], END),
    "a pax record without a length": ([TABLES, pax(b"path=tables/x\n"), TABLES], END),
    "a pax record longer than its header": ([TABLES, pax(b"99 path=x\n"), TABLES], END),
    "a pax record of length 0": ([TABLES, pax(b"0 path=x\n"), TABLES], END),
    "a pax record of negative length": ([TABLES, pax(b"-9 path=x\n"), TABLES], END),
    "a pax record of a huge length": ([TABLES, pax(b"9" * 5000 + b" path=x\n"), TABLES], END),
    "a pax record without a key": ([TABLES, pax(b"5 xx\n"), TABLES], END),
    "a pax size that is no number": ([TABLES, pax(record(b"size", b"1e3")), TABLES], END),
    "a pax mtime that is no number": ([TABLES, pax(record(b"mtime", b"1.2.3")), TABLES], END),
    "nothing at all": ([], b""),
    "no members": ([], END),
    "no tables": ([member(b"indices/x", b"!")], END),
    "an empty manifest in our name": ([TABLES, member(b".reedbackup/manifest")], END),
    "a folder as the manifest": ([TABLES, member(b".reedbackup/manifest", kind=b"5")], END),
}


@pytest.mark.parametrize("case", CORRUPTED)
def test_what_is_no_whole_archive_is_refused_and_nothing_is_written(
    plant: PlantArchive, snapshot: TakeSnapshot, case: str
) -> None:
    blocks, end = CORRUPTED[case]
    base = plant(*blocks, end=end)
    before, beside = snapshot(base), os.listdir(base.parent)
    with pytest.raises(BackupCorrupted):
        restore_point_in_time(base, 1000)
    assert (snapshot(base), os.listdir(base.parent)) == (before, beside)
    assert list_backups(base) == []


def test_a_manifest_far_longer_than_the_names_it_can_list_is_not_read(plant: PlantArchive) -> None:
    size = 16 << 20
    base = plant(TABLES, member(b".reedbackup/manifest", bytes(size)))
    with pytest.raises(BackupCorrupted, match=f"its manifest claims {size} bytes"):
        restore_point_in_time(base, 1000)


def test_headers_that_say_nothing_of_a_member_are_not_kept_in_memory(plant: PlantArchive) -> None:
    """Distinct keys by the thousand, each of an ordinary length."""
    flood = [
        pax(record(b"%s.%d" % (key, n), bytes(500_000)))
        for n in range(12)
        for key in (b"comment", b"GNU.sparse")
    ]
    base = plant(TABLES, *flood, member(b"tables/x", b"!"))
    tracemalloc.start()
    try:
        with pytest.raises(BackupUnsafe, match="sparse"):
            restore_point_in_time(base, 1000)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_hard_links_that_together_exceed_the_disk_are_an_error_before_it_is_full(
    plant: PlantArchive, snapshot: TakeSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = member(b"tables/big", bytes(1000))
    links = [member(b"tables/link%d" % n, kind=b"1", link=b"tables/big") for n in range(10)]
    base = plant(big, *links)
    monkeypatch.setattr(extract, "_free_bytes", lambda _: 5000)
    before = snapshot(base)
    with pytest.raises(IoError, match="1000 bytes where 0 are free; make room"):
        restore_point_in_time(base, 1000)
    assert snapshot(base) == before
