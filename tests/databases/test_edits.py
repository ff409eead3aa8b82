"""Writing to a database in ReedBase's format."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.edits import (
    create_table,
    drop_table,
    newest_version,
    write_version,
)
from pytest_reedbackup.databases.spec import EMPTY, SMALL
from reedbase_backup.last import restore_point_in_time

FIRST = b"key|value\nalpha|1\n"
SECOND = b"key|value\nalpha|2\nbeta|1\n"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    build(EMPTY, tmp_path / ".reed")
    return tmp_path / ".reed"


def test_a_new_table_stores_its_first_version_raw(base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000, user=3)
    assert table == base / "tables" / "prices"
    assert (table / "1000.bsdiff").read_bytes() == FIRST
    assert (table / "current.csv").read_bytes() == FIRST
    assert (table / "version.log").read_bytes() == b"1000|5|3|%d\n" % len(FIRST)
    assert (table / ".lock").read_bytes() == b""


def test_a_new_version_is_a_delta_a_line_and_the_current_content(base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000)
    write_version(table, SECOND, 2_000, user=2)
    stored = (table / "2000.bsdiff").read_bytes()
    assert stored.startswith(b"\xfd7zXZ\0")
    assert (table / "current.csv").read_bytes() == SECOND
    assert (table / "version.log").read_bytes().splitlines()[1] == b"2000|2|2|%d" % len(stored)
    assert newest_version(table) == 2_000


@pytest.mark.parametrize(
    "contents",
    [[SECOND], [b""], [b"", SECOND], [FIRST, FIRST], [SECOND * 5_000, FIRST], [b"\0\xff\r"]],
    ids=["grown", "emptied", "refilled", "unchanged", "large", "binary"],
)
def test_every_version_that_was_written_can_be_restored(contents: list[bytes], base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000)
    for number, content in enumerate(contents, 2):
        write_version(table, content, number * 1_000)
    for number, content in enumerate([FIRST, *contents], 1):
        report = restore_point_in_time(base, number * 1_000)
        assert report.tables_restored == [("prices", number * 1_000)]
        assert (table / "current.csv").read_bytes() == content


@pytest.mark.parametrize("at_ns", [1_000, 999, 0])
def test_time_must_go_on(at_ns: int, base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000)
    with pytest.raises(ValueError, match="not later than the newest version, 1000"):
        write_version(table, SECOND, at_ns)
    assert (table / "current.csv").read_bytes() == FIRST
    assert sorted(path.name for path in table.iterdir()) == [
        ".lock",
        "1000.bsdiff",
        "current.csv",
        "version.log",
    ]


def test_a_table_is_not_created_twice(base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000)
    with pytest.raises(FileExistsError):
        create_table(base, "prices", SECOND, 2_000)
    assert (table / "current.csv").read_bytes() == FIRST


def test_a_dropped_table_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    build(SMALL, tmp_path / ".reed")
    drop_table(tmp_path / ".reed", "routes")
    left = sorted(path.name for path in (tmp_path / ".reed/tables").iterdir())
    assert left == ["content", "text"]


def test_dropping_what_is_not_there_is_an_error(base: Path) -> None:
    with pytest.raises(FileNotFoundError):
        drop_table(base, "prices")


def test_a_writer_waits_for_the_tables_lock(base: Path) -> None:
    table = create_table(base, "prices", FIRST, 1_000)
    writer = threading.Thread(target=write_version, args=(table, SECOND, 2_000))
    with (table / ".lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        writer.start()
        time.sleep(0.1)
        assert (table / "current.csv").read_bytes() == FIRST
    writer.join(timeout=10)
    assert (table / "current.csv").read_bytes() == SECOND
