"""A small archive takes little to read, whatever its bytes claim (contract `ticket`,
restore/hostile).

Each archive here is read in a process of its own, so that what it takes at the most
can be seen, and is not left to a limit that another test has already raised.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

import pytest
from fixture_types import BackupAt, MakeBase
from reference.archive.members import END, TABLES, header, member, pax, record

from reedbase_backup import (
    BackupUnsafe,
    create_backup,
    list_backups,
    restore_point_in_time,
    retention,
)
from reedbase_backup.archive import limits
from reedbase_backup.archive.limits import Allowance, LimitExceeded

pytestmark = pytest.mark.slow

MIB = 1 << 20
# Deep enough for 2,000 folders in one name, and short enough for a path.
DEEP = b"/a" * 2000


def deep(count: int) -> bytes:
    """Files whose parents are 2,000 folders each, none shared."""
    names = [b"tables/%d" % n + DEEP + b"/f" for n in range(count)]
    return b"".join(pax(record(b"path", name)) + member(b"x") for name in names)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "implied folders": lambda: deep(40),
    "implied folders by GNU long names": lambda: b"".join(
        member(b"l", b"tables/%d" % n + DEEP + b"/f\0", kind=b"L") + member(b"x") for n in range(40)
    ),
    "folders at every depth": lambda: b"".join(
        pax(record(b"path", b"tables/%d" % n + DEEP[: 2 * d])) + member(b"x", kind=b"5")
        for n in range(3)
        for d in range(1, 2000, 3)
    ),
    "empty files": lambda: b"".join(member(b"tables/t/%d" % n) for n in range(25_000)),
    "members beside": lambda: member(b"x") * 28_000,
    "volume labels": lambda: member(b"x", kind=b"V") * 28_000,
    "pax records": lambda: pax(*[b"6 a=b\n"] * 170_000) * 14,
    "global pax records": lambda: member(b"g", b"6 a=b\n" * 170_000, kind=b"g") * 14,
    "pax records for one member": lambda: pax(*[record(b"mtime", b"9" * 18)] * 30_000) * 14,
    "pax paths": lambda: pax(record(b"path", b"a" * 1_000_000)) * 14,
    "GNU long names": lambda: member(b"l", b"a" * MIB, kind=b"L") * 14,
    "GNU long links": lambda: member(b"l", b"a" * MIB, kind=b"K") * 14,
    "one huge file": lambda: member(b"tables/z", bytes(14 * MIB)),
    "a huge manifest": lambda: member(b".reedbackup/manifest", b"- 0 0 x\n" * (14 * MIB // 8)),
    "manifests": lambda: member(b".reedbackup/manifest", b"- 0 0 x\n" * 20) * 14_000,
    "hard links": lambda: (
        member(b"tables/z", bytes(MIB))
        + b"".join(member(b"tables/l%d" % n, kind=b"1", link=b"tables/z") for n in range(20_000))
    ),
    "padding": lambda: END + bytes(14 * MIB),
    "a header of a gigabyte": lambda: header(b"tables/x", size=1 << 30),
}

_MEASURED = """
import json, resource, sys, time
from reedbase_backup import ReedError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.verify import verify
base = sys.argv[1]
# Far above what it may take; a reader without limits ends here and not with the machine.
resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before, cpu = peak(), time.process_time()
found = {"listed": [info.id for info in list_backups(base)]}
found["verified"] = [one.id for one in verify(base)]
try:
    restore_point_in_time(base, 2000)
    found["kind"] = None
except ReedError as error:
    found["kind"] = error.kind
found |= {"peak": peak() - before, "cpu": time.process_time() - cpu}
json.dump(found, sys.stdout)
"""


class Measured(TypedDict):
    """What a process measured of itself, in MiB and seconds, and the backups that it saw."""

    peak: int
    cpu: float
    listed: list[str]
    verified: list[str]
    kind: str | None


def measured(base: Path) -> Measured:
    """What list, verify and a restore of the newest backup come to, in MiB and seconds."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, base], capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    found: Measured = json.loads(done.stdout)
    return found


@pytest.fixture
def plant(base: Path, backup_at: BackupAt) -> Iterator[Callable[[bytes], Path]]:
    """Puts an archive of raw tar blocks beside a good backup, as the newest."""
    backup_at(base, 1000)

    def put(blocks: bytes) -> Path:
        packed = gzip.compress(TABLES + blocks + END)
        (base / "backups" / "2000.tar.gz").write_bytes(packed)
        return base

    yield put
    # pytest's own cleaning stumbles over trees so deep.
    subprocess.run(["rm", "-rf", base / "tables"], check=True)


_ALWAYS_TRIED = ("implied folders", "empty files", "pax records", "hard links", "manifests")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if case in _ALWAYS_TRIED else pytest.mark.campaign)
        for case in HOSTILE
    ],
)
def test_a_small_archive_takes_little_memory_and_time(
    plant: Callable[[bytes], Path], case: str
) -> None:
    base = plant(HOSTILE[case]())
    packed = (base / "backups" / "2000.tar.gz").stat().st_size
    assert packed < 200_000
    found = measured(base)
    allowed = (limits.FREE_NAMES + limits.NAMES_PER_BYTE * packed) // MIB
    # Beside the names: the manifest, a buffer or two, and what was imported meanwhile.
    assert found["peak"] < 2 * allowed + 40, found
    assert found["cpu"] < 15, found
    # Whatever came of it, the good backup is there.
    assert found["listed"] in (["1000"], ["2000", "1000"])
    assert found["verified"] == ["2000", "1000"]


def test_what_exceeds_a_limit_is_refused_and_stops_nothing_else(
    plant: Callable[[bytes], Path], backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = plant(HOSTILE["pax records"]())
    assert [info.id for info in list_backups(base)] == ["1000"]
    with pytest.raises(BackupUnsafe, match="more headers than an archive of its size can need"):
        restore_point_in_time(base, 2000)
    assert restore_point_in_time(base, 1999).tables_restored == 2
    monkeypatch.setattr(retention, "KEEP", 3)
    for second in range(3000, 3004):
        backup_at(base, second)
    assert [info.timestamp for info in list_backups(base)] == [3003, 3002, 3001]
    assert (base / "backups" / "2000.tar.gz").exists()


def test_a_limit_is_of_names_headers_and_links_each_by_itself() -> None:
    allowance = Allowance.of(0)
    for _ in range(limits.FREE_NAMES // (limits.NAME_COST + 100)):
        allowance.name(100)
    with pytest.raises(LimitExceeded, match="files and folders"):
        allowance.name(limits.FREE_NAMES)
    with pytest.raises(LimitExceeded, match="files and folders"):
        allowance.file(limits.FREE_NAMES, 0)
    allowance.header(limits.FREE_HEADERS)
    with pytest.raises(LimitExceeded, match="headers"):
        allowance.header(1)
    allowance.link(limits.FREE_LINKED)
    with pytest.raises(LimitExceeded, match="hard links"):
        allowance.link(1)


@pytest.mark.parametrize("levels", [0, 20])
def test_the_emptiest_archives_that_ordinary_programs_make_are_within_the_limits(
    levels: int,
) -> None:
    """Empty versions of one table, or of one far below it, packed as small as it goes."""
    table, count, packed = "tables/t" + "/a-long-name-of-a-folder" * levels, 5_000, io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for n in range(count):
            archive.addfile(tarfile.TarInfo(f"{table}/{1_700_000_000_000_000_000 + n}.bsdiff"))
    tar, size = packed.getvalue(), len(gzip.compress(packed.getvalue(), 9))
    assert (limits.NAME_COST + len(table) + 30) * count < limits.NAMES_PER_BYTE * size
    assert len(tar) < limits.HEADERS_PER_BYTE * size


@pytest.mark.parametrize("levels", [0, 40])
def test_what_create_accepts_is_within_the_limits_of_restore(
    make_base: MakeBase, monkeypatch: pytest.MonkeyPatch, levels: int
) -> None:
    """Here nothing but names, and without the part of the limits that is free for all."""
    monkeypatch.setattr(limits, "FREE_NAMES", 1 << 18)
    monkeypatch.setattr(limits, "FREE_HEADERS", 1 << 18)
    base = make_base()
    folder = base / "tables"
    for _ in range(levels):
        folder = folder / ("d" * 90)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(2_000):
        (folder / f"{n}").touch()
        os.utime(folder / f"{n}", (0, 0))
    create_backup(base)
    assert restore_point_in_time(base, 2**63).tables_restored == min(levels, 1)
