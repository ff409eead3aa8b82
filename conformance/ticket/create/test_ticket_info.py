"""The BackupInfo of create_backup under contract `ticket`, and list_backups' of the same backup."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.changes import (
    set_file_time,
)
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, MANY_TABLES, SMALL, DatabaseSpec, Spec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Refused, value_of
from pytest_reedbackup.model.case import case, cases


@case("ticket/create/info", "The BackupInfo that create returns is the first that list shows.")
def test_create_returns_what_list_shows_first(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    made = reedbackup.created(reedbackup_db)
    listed = reedbackup.listed(reedbackup_db)
    expect("the first entry of list_backups", listed[:1], [made])


@case("ticket/create/info/size", "size_bytes is the archive file's size on disk.")
def test_size_bytes_is_the_archives_size(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    made = reedbackup.created(reedbackup_db)
    expect("size_bytes", made.size_bytes, archive_of(reedbackup_db, made.id).stat().st_size)


@cases(
    "ticket/create/info/table-count",
    "table_count is the number of folders directly under tables/ ({variant}).",
    {
        "small": SMALL,
        "empty": EMPTY,
        "many-tables": MANY_TABLES,
        "without-versions": DatabaseSpec(tables=2, rows=4),
        "awkward": AWKWARD,
    },
)
def test_table_count_counts_folders(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    # Neither a loose file nor a folder inside a table is a table; an empty folder is.
    (base / "tables" / "loose.txt").write_text("no table")
    for table in [child for child in (base / "tables").iterdir() if child.is_dir()][:2]:
        (table / "inner" / "deeper").mkdir(parents=True)
    if variant == MANY_TABLES:  # more than a byte can count
        for number in range(64):
            (base / "tables" / f"further {number}").mkdir()
    tables = sum(child.is_dir() for child in (base / "tables").iterdir())
    expect("table_count of create_backup", reedbackup.created(base).table_count, tables)
    expect("table_count of list_backups", reedbackup.newest(base).table_count, tables)
    (base / "tables" / "made since").mkdir()
    expect("table_count, with a table made since", reedbackup.newest(base).table_count, tables)


@case("ticket/create/info/of-earlier", "List shows an earlier backup as create returned it.")
def test_list_shows_an_earlier_backup_as_it_was(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    earlier = reedbackup.created(reedbackup_db)
    # A copied or synchronised archive carries any time.
    set_file_time(archive_of(reedbackup_db, earlier.id), 10**9)
    reedbackup.clock.advance()
    edits.create_table(reedbackup_db, "made_since", bytes(range(256)) * 9, 1_800_000_000 * 10**9)
    reedbackup.created(reedbackup_db)
    shown = [info for info in reedbackup.listed(reedbackup_db) if info.id == earlier.id]
    expect("the earlier backup in list_backups", shown, [earlier])


@case("ticket/create/info/timestamp", "timestamp is the Unix second of the backup.")
def test_timestamp_is_the_second_of_the_backup(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    # One after the other, though they fall into one second.
    for number in range(1, 4):
        earliest = reedbackup.clock.seconds()
        answer = reedbackup.create_backup(reedbackup_db)
        latest = reedbackup.clock.seconds()
        if number > 1 and isinstance(answer, Refused):
            return  # that a second has room for more than one is create/same-second's promise
        timestamp = value_of(answer, "create_backup").timestamp
        expect_that(
            earliest <= timestamp <= latest,
            f"timestamp of backup {number}",
            expected=f"{earliest} to {latest}",
            found=timestamp,
        )


@case("ticket/create/info/compression", 'compression is "gzip".')
def test_compression_is_gzip(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    expect("compression of create_backup", reedbackup.created(reedbackup_db).compression, "gzip")
    expect("compression of list_backups", reedbackup.newest(reedbackup_db).compression, "gzip")
