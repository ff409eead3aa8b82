"""Restores under contract `last`, table by table: errors, locks, and how files are written."""

from __future__ import annotations

import errno
import fcntl
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.checks.last_outcomes import (
    ExpectedOutcomes,
    Failed,
    Restored,
    expected_outcomes,
)
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.checks.timing import RecordFigures
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases.spec import DatabaseSpec, Spec
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.traced.system_calls import traced
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import TableFolder, os_reason, tables_of
from reedbase_backup.types import U64_MAX

LONG_HISTORY = DatabaseSpec(tables=1, rows=800, versions=1_001)
"""Where the cost of a restore shows, and the baseline needs a third of a second."""

LOCK_TAKEN = {
    "operation": "acquire_write_lock",
    "reason": f"Failed to acquire lock after 50 attempts: {os_reason(errno.EAGAIN)}",
}
"""The fields of the error after 50 tries."""

SYNCS = ("fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync")


@case("last/restore/one-error", "One table's error stops no other table.")
def test_one_tables_error_stops_no_other(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    tables_of(reedbackup_db)["text"].log.write_text("damaged\n")
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Failed("LogCorrupted", {"reason": "Invalid format at line 1"})
    assert _restored(expected) == ["content", "routes"]
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case("last/restore/one-error/all-fail", "Where every table has its own error, all are reported.")
def test_every_table_may_have_its_own_error(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    tables = tables_of(reedbackup_db)
    tables["text"].log.write_text("5|x|0|1\n")
    tables["routes"].delta(tables["routes"].versions()[0].timestamp).unlink()
    shutil.rmtree(tables["content"].path)
    tables["content"].path.mkdir()
    expected: ExpectedOutcomes = {
        "text": Failed("LogCorrupted", {"reason": "Invalid action code at line 1"}),
        "routes": Failed(
            "IoError", {"operation": "copy_init_delta", "reason": os_reason(errno.ENOENT)}
        ),
        "content": Failed("TableNotFound", {"name": "content"}),
    }
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@contextmanager
def _locked(table: TableFolder, secs: float | None = None) -> Iterator[None]:
    """Hold the table's lock as its writers do, for the block or for so many seconds."""
    with (table.path / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release = threading.Timer(secs or 0, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        if secs is not None:
            release.start()
        try:
            yield
        finally:
            release.cancel()
            if secs is not None:
                release.join()


@case(
    "last/restore/lock",
    "A table whose lock stays taken is IoError after 50 tries, and the others are restored.",
)
def test_a_table_that_stays_locked_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    expected["text"] = Failed("IoError", LOCK_TAKEN)
    with _locked(tables_of(reedbackup_db)["text"]):
        expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


def _first_delta_missing(table: TableFolder) -> None:
    table.delta(table.versions()[0].timestamp).unlink()


def _no_version_so_early(table: TableFolder) -> None:
    table.log.write_bytes(b"")


@cases(
    "last/restore/lock/not-needed",
    "A table with {variant} is not waited for: reading and rebuilding come before the lock.",
    {"a-missing-delta": _first_delta_missing, "no-versions": _no_version_so_early},
)
def test_reading_and_rebuilding_come_before_the_lock(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Callable[[TableFolder], None]
) -> None:
    table = tables_of(reedbackup_db)["text"]
    variant(table)
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert not isinstance(expected["text"], Restored)
    with _locked(table):
        expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case("last/restore/lock/waits", "A table whose lock is taken for a moment is waited for.")
def test_a_table_that_is_locked_for_a_moment_is_waited_for(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    with _locked(table, secs=0.4):
        expect_restore(
            reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX)
        )


@case("last/restore/lock/missing", "A table without a .lock file is restored.")
def test_a_table_without_a_lock_file_is_restored(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    for table in tables_of(reedbackup_db).values():
        (table.path / ".lock").unlink()
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))


@cases(
    "last/restore/leftovers",
    "After an error at {variant}, the temporary file of the version before stays.",
    {"the-first-delta": 1, "a-later-delta": 2},
    defect="D10",
)
def test_an_error_midway_leaves_a_temporary_file(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: int
) -> None:
    table = tables_of(reedbackup_db)["text"]
    table.delta(table.versions()[variant].timestamp).write_bytes(b"no xz")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))
    left = sorted(path.name for path in table.path.glob("*.tmp"))
    number = "" if variant == 1 else f"_{variant - 1}"
    expect("the temporary files in the table's folder", left, [f"rollback{number}.tmp"])


@case(
    "last/restore/leftovers/removed",
    "Temporary files of an earlier restore are gone after one that succeeds.",
)
def test_leftovers_go_with_the_next_restore(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    for name in ("rollback.tmp", "rollback_1.tmp", "current.new.tmp"):
        (table.path / name).write_text("left over")
    report = reedbackup.restored(reedbackup_db, U64_MAX)
    restored = sorted(name for name, _ in report.tables_restored)
    expect("the restored tables", restored, sorted(tables_of(reedbackup_db)))
    left = sorted(path.name for path in table.path.glob("*.tmp"))
    expect("the temporary files in the table's folder", left, [])


@case(
    "last/restore/in-place",
    "current.csv is overwritten in place: it is the same file as before.",
    defect="D13",
)
def test_current_csv_is_overwritten_in_place(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    target = table.versions()[0].timestamp
    before = table.current.stat().st_ino
    expect_restore(reedbackup, reedbackup_db, target, expected_outcomes(reedbackup_db, target))
    expect("the inode of current.csv", table.current.stat().st_ino, before)


@case(
    "last/restore/in-place/no-sync",
    "A restore ends without having synced anything to disk.",
    defect="D13",
    basic=True,  # half of what the rule says
)
def test_a_restore_syncs_nothing(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    def restore(process: Served) -> None:
        answer = process.restore_point_in_time(reedbackup_db, U64_MAX)
        value_of(answer, "a restore under strace")

    made = {call.name for call in traced(reedbackup, SYNCS, reedbackup_db, restore)}
    expect("the system calls that sync", sorted(made & set(SYNCS)), [])


@case(
    "last/restore/archives-unread",
    "A restore takes nothing from archives: a dropped table stays dropped, damaged ones are fine.",
    defect="D14",
)
def test_a_restore_takes_nothing_from_archives(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    backups = reedbackup_db / "backups"
    backups.mkdir()
    with tarfile.open(backups / "1700000000.tar.gz", "w:gz") as archive:
        archive.add(reedbackup_db / "tables", f"{reedbackup_db.name}/tables")
    (backups / "1700000001.tar.gz").write_bytes(b"no archive")
    shutil.rmtree(reedbackup_db / "tables" / "text")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))


@case(
    "last/restore/long-history",
    "The newest of 1,001 versions is restored; what that costs is reported, not judged.",
    defect="D12",
)
def test_the_newest_of_many_versions_is_restored(
    reedbackup: LastImplementation,
    reedbackup_make_db: Callable[[Spec], Path],
    reedbackup_measured: RecordFigures,
) -> None:
    base = reedbackup_make_db(LONG_HISTORY)
    (table,) = tables_of(base).values()
    newest, content = table.versions()[-1].timestamp, table.current.read_bytes()
    first = table.versions()[0].timestamp
    elapsed = []
    for target in (first, newest):
        answer = reedbackup.restore_point_in_time(base, target)
        value_of(answer, f"restore_point_in_time to {target}")
        elapsed.append(answer.elapsed_ns / 10**6)
    expect_that(
        table.current.read_bytes() == content,
        "current.csv after a restore to the newest of 1,001 versions",
        expected=f"the {len(content)} bytes that it had",
        found=table.current.read_bytes(),
    )
    reedbackup_measured(
        f"restore to the first of 1,001 versions {elapsed[0]:.0f} ms, to the newest"
        f" {elapsed[1]:.0f} ms",
        "the baseline: 326 ms to version 1,000, 8.2 s to version 10,000",
    )


def _restored(expected: ExpectedOutcomes) -> list[str]:
    return sorted(name for name, outcome in expected.items() if isinstance(outcome, Restored))
