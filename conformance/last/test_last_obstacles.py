"""Contract `last` where something else stands in the place of a folder or file, or a symlink does.

What a restore answers then, and where it writes all the same.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.checks.last_outcomes import Failed, expected_outcomes
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import IS_A_FOLDER, TableFolder, os_reason, tables_of
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.types import U64_MAX


def _no_tables(base: Path) -> None:
    shutil.rmtree(base / "tables")


def _tables_lead_nowhere(base: Path) -> None:
    shutil.rmtree(base / "tables")
    (base / "tables").symlink_to("nowhere")


def _tables_is_a_file(base: Path) -> None:
    shutil.rmtree(base / "tables")
    (base / "tables").write_text("no folder")


NOT_A_FOLDER = {"operation": "read_tables_dir", "reason": os_reason(errno.ENOTDIR)}


@cases(
    "last/restore/no-tables",
    "Where {variant}, restore answers the baseline's error and makes nothing.",
    {
        "tables-is-missing": (_no_tables, "NoTablesFound", {}),
        "the-base-is-missing": (shutil.rmtree, "NoTablesFound", {}),
        "tables-is-a-dangling-symlink": (_tables_lead_nowhere, "NoTablesFound", {}),
        "tables-is-a-file": (_tables_is_a_file, "IoError", NOT_A_FOLDER),
    },
)
def test_without_a_tables_folder_restore_answers_an_error(
    reedbackup: LastImplementation,
    reedbackup_db: Path,
    variant: tuple[Callable[[Path], None], str, dict[str, object]],
) -> None:
    remove, kind, fields = variant
    remove(reedbackup_db)
    before = Tree.read(reedbackup_db.parent)
    answer = reedbackup.restore_point_in_time(reedbackup_db, U64_MAX)
    refusal = refusal_of(answer, "restore_point_in_time", (kind,))
    expect("the error's fields", refusal.fields, fields)
    after = Tree.read(reedbackup_db.parent)
    expect_same_tree("the base and the folder around it", after, before)


@case("last/restore/no-tables/empty", "An empty tables/ is a database of no tables.")
def test_an_empty_tables_folder_is_restored(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    shutil.rmtree(reedbackup_db / "tables")
    (reedbackup_db / "tables").mkdir()
    expect_restore(reedbackup, reedbackup_db, U64_MAX, {})


def _a_file(tables: Path) -> None:
    (tables / "stray.txt").write_text("no table")


def _a_symlink_to_a_table(tables: Path) -> None:
    (tables / "link").symlink_to("text")


def _a_symlink_to_a_folder(tables: Path) -> None:
    outside = tables.parents[1] / "outside"
    outside.mkdir()
    (outside / "current.csv").write_text("key|value\n")
    (tables / "link").symlink_to(outside)


def _a_dangling_symlink(tables: Path) -> None:
    (tables / "link").symlink_to("nowhere")


@cases(
    "last/restore/passed-over",
    "Under tables/, {variant} is passed over.",
    {
        "a-file": _a_file,
        "a-symlink-to-a-table": _a_symlink_to_a_table,
        "a-symlink-to-a-folder": _a_symlink_to_a_folder,
        "a-dangling-symlink": _a_dangling_symlink,
    },
)
def test_what_is_no_folder_is_passed_over(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    variant(reedbackup_db / "tables")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@cases(
    "last/restore/no-current",
    "A table that has {variant} is TableNotFound, and the others are restored.",
    {"nothing": "", "only-a-log": "5|5|0|1\n", "a-damaged-log": "damaged\n"},
)
def test_a_table_without_current_csv_is_not_found(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    table = TableFolder(reedbackup_db / "tables" / "half")
    table.path.mkdir()
    if variant:
        table.log.write_text(variant)
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["half"] == Failed("TableNotFound", {"name": "half"})
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/restore/no-current/deltas-there",
    "A table that lost only its current.csv is TableNotFound, though its deltas are there.",
    defect="D9",
)
def test_a_lost_current_csv_is_not_rebuilt(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    tables_of(reedbackup_db)["text"].current.unlink()
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Failed("TableNotFound", {"name": "text"})
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/restore/no-current/a-dangling-symlink",
    "A table whose current.csv is a symlink to nowhere is TableNotFound; nothing is made there.",
)
def test_a_current_csv_that_leads_nowhere_is_not_found(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    current = tables_of(reedbackup_db)["text"].current
    current.unlink()
    current.symlink_to("nowhere")
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Failed("TableNotFound", {"name": "text"})
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/restore/content/through-a-symlink",
    "A current.csv that is a symlink stays one, and the file that it leads to is restored.",
)
def test_a_current_csv_that_is_a_symlink_is_restored_through(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    target = table.versions()[0].timestamp
    content = table.content(target)
    elsewhere = table.current.rename(reedbackup_db.parent / "elsewhere.csv")
    table.current.symlink_to(elsewhere)
    report = reedbackup.restored(reedbackup_db, target)
    expect("the tables in errors", list(report.errors), [])
    expect("whether current.csv is a symlink", table.current.is_symlink(), True)
    expect_that(
        elsewhere.read_bytes() == content,
        "the file that current.csv leads to",
        expected=f"the {len(content)} bytes of version {target}",
        found=elsewhere.read_bytes(),
    )


def _in_the_way(path: Path) -> None:
    """A folder in the place of a file."""
    path.unlink(missing_ok=True)
    path.mkdir()


@cases(
    "last/restore/in-the-way",
    "A folder in the place of {variant} is that table's IoError, and the others are restored.",
    {
        "current-csv": ("current.csv", "read_old_file: {path}"),
        "lock": (".lock", "create_lock_file"),
        "next-content": ("current.new.tmp", "write_temp_new"),
    },
)
def test_a_folder_in_the_place_of_a_file_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, str]
) -> None:
    name, operation = variant
    path = reedbackup_db / "tables" / "text" / name
    _in_the_way(path)
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    fields = {"operation": operation.format(path=path), "reason": IS_A_FOLDER}
    expected["text"] = Failed("IoError", fields)
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


USERS = "../../registry/users.dict"

TWO_IN_THE_WAY = {
    "the-log-before-a-delta": ("version.log", "{first}.bsdiff", ""),
    "a-delta-before-the-lock": ("{first}.bsdiff", ".lock", "copy_init_delta"),
    "the-lock-before-the-next-content": (".lock", "current.new.tmp", "create_lock_file"),
    "the-next-content-before-current-csv": ("current.new.tmp", "current.csv", "write_temp_new"),
    "current-csv-before-the-user": ("current.csv", USERS, "read_old_file: {current}"),
}


@cases(
    "last/restore/order",
    "Of folders in two places, the error is about the one that comes first: {variant}.",
    TWO_IN_THE_WAY,
)
def test_the_first_step_that_fails_is_the_error(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, str, str]
) -> None:
    *names, operation = variant
    table = tables_of(reedbackup_db)["text"]
    first = table.versions()[0].timestamp
    for name in names:
        _in_the_way(table.path / name.format(first=first))
    error = dict(reedbackup.restored(reedbackup_db, U64_MAX).errors)["text"]
    wanted = operation.format(current=table.current) or None
    kind = "IoError" if wanted else "LogCorrupted"
    expect("the error of text", (error["kind"], error.get("operation")), (kind, wanted))


@cases(
    "last/restore/planted",
    "A symlink under the name of {variant} is opened: what it points to is made or overwritten.",
    {
        "lock": ".lock",
        "first-version": "rollback.tmp",
        "later-version": "rollback_1.tmp",
        "next-content": "current.new.tmp",
    },
    defect="D17",
)
def test_what_a_planted_symlink_points_to_is_written(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    planted = reedbackup_db / "tables" / "text" / variant
    outside = reedbackup_db.parent / "outside"
    if variant != ".lock":
        outside.write_bytes(b"somebody's")
    planted.unlink(missing_ok=True)
    planted.symlink_to(outside)
    report = reedbackup.restored(reedbackup_db, U64_MAX)
    expect("the tables in errors", list(report.errors), [])
    found = outside.read_bytes() if outside.exists() else None
    expect_that(
        found not in (None, b"somebody's"),
        f"what the symlink {variant} points to, outside the base",
        expected="made or overwritten",
        found="as before",
    )
