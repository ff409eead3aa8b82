"""restore_point_in_time under contract `last`: which version, what content, what else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.checks.last_outcomes import (
    ExpectedOutcomes,
    Failed,
    Restored,
    Skipped,
    expected_outcomes,
)
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import TableFolder, tables_of
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.types import U64_MAX

Target = Callable[[list[int]], int]
"""Of the timestamps of table `text`, oldest first."""


def stamps(base: Path, table: str = "text") -> list[int]:
    """The timestamps of a table's versions, oldest first."""
    return [version.timestamp for version in tables_of(base)[table].versions()]


@cases(
    "last/restore/pick",
    "A restore takes each table's newest version at or before the target ({variant}).",
    {
        "first": lambda own: own[0],
        "after-the-first": lambda own: own[0] + 1,
        "before-the-second": lambda own: own[1] - 1,
        "second": lambda own: own[1],
        "after-the-second": lambda own: own[1] + 1,
        "before-the-last": lambda own: own[-1] - 1,
        "last": lambda own: own[-1],
        "after-the-last": lambda own: own[-1] + 1,
        "a-minute-later": lambda own: own[-1] + 60 * 10**9,
        "two-to-the-63": lambda own: 2**63,
        "two-to-the-64-minus-1": lambda own: U64_MAX,
    },
)
def test_a_restore_takes_the_newest_version_at_or_before_the_target(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Target
) -> None:
    own = stamps(reedbackup_db)
    target = variant(own)
    expected = expected_outcomes(reedbackup_db, target)
    taken = max(stamp for stamp in own if stamp <= target)
    assert expected["text"] == Restored(taken, tables_of(reedbackup_db)["text"].content(taken))
    expect_restore(reedbackup, reedbackup_db, target, expected)


@cases(
    "last/restore/skip",
    "A table without a version at or before the target is skipped and stays ({variant}).",
    {
        "target-0": lambda own: 0,
        "target-1": lambda own: 1,
        "before-all": lambda own: own[0] - 1,
        "target-in-seconds": lambda own: own[-1] // 10**9,
        "before-the-other-tables": lambda own: own[0],
    },
)
def test_a_table_without_a_version_by_then_is_skipped(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Target
) -> None:
    target = variant(stamps(reedbackup_db))
    expected = expected_outcomes(reedbackup_db, target)
    assert Skipped() in expected.values()
    expect_restore(reedbackup, reedbackup_db, target, expected)


CONTENTS = {
    "binary": bytes(range(256)) * 5,
    "empty": b"",
    "only-a-header": b"key|value\n",
    "crlf": b"key|value\r\na|1\r\n",
    "no-final-newline": b"key|value\na|1",
    "not-utf-8": b"key|value\na|\xff\xfe\xe9\n",
    "several-scripts": "key|value\nstraße|日本 🙂 שלום\n".encode(),
    "a-mebibyte": b"key|value\n" + b"".join(b"%07d|%x\n" % (n, n * n) for n in range(60_000)),
}


@cases(
    "last/restore/content",
    "current.csv becomes the version's content, byte for byte: {variant}.",
    CONTENTS,
)
def test_current_csv_becomes_the_versions_content(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: bytes
) -> None:
    first, second, third = (1_600_000_000 * 10**9 + number for number in range(3))
    edits.create_table(reedbackup_db, "raw", variant, first)
    edits.write_version(reedbackup_db / "tables" / "raw", b"key|value\nlater|1\n", second)
    table = edits.create_table(reedbackup_db, "changed", b"key|value\nearlier|1\n", first)
    edits.write_version(table, variant, second)
    edits.write_version(table, b"key|value\nlater|1\n", third)
    expected = expected_outcomes(reedbackup_db, second - 1) | {"raw": Restored(first, variant)}
    expect_restore(reedbackup, reedbackup_db, second - 1, expected)
    expected = expected_outcomes(reedbackup_db, second) | {"changed": Restored(second, variant)}
    expect_restore(reedbackup, reedbackup_db, second, expected)


@case(
    "last/restore/report",
    "The report has the target, the restored tables with their versions, the skipped, the errors.",
)
def test_the_report_says_what_became_of_each_table(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    text, routes, content = (stamps(reedbackup_db, name) for name in ("text", "routes", "content"))
    # In the order in which the database was made: text, routes, content, text …
    target = routes[0]
    assert text[0] < target < content[0]
    (reedbackup_db / "tables" / "lost").mkdir()
    expected: ExpectedOutcomes = {
        "text": Restored(text[0], tables_of(reedbackup_db)["text"].content(text[0])),
        "routes": Restored(routes[0], tables_of(reedbackup_db)["routes"].content(routes[0])),
        "content": Skipped(),
        "lost": Failed("TableNotFound", {"name": "lost"}),
    }
    expect_restore(reedbackup, reedbackup_db, target, expected)


@cases(
    "last/restore/report/names",
    "A table is restored, skipped and in error by its folder's name: {variant}.",
    {"spaces": "odd name", "unicode": "größe 表 🙂", "dots": "..a.b", "hidden": ".old"},
)
def test_any_folder_name_is_a_tables_name(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    stamp = 1_600_000_000 * 10**9
    table = edits.create_table(reedbackup_db, variant, b"key|value\n", stamp)
    edits.write_version(table, b"key|value\nlater|1\n", stamp + 1)
    for target, outcome in (
        (stamp - 1, Skipped()),
        (stamp, Restored(stamp, b"key|value\n")),
    ):
        expected = expected_outcomes(reedbackup_db, target)
        assert expected[variant] == outcome
        expect_restore(reedbackup, reedbackup_db, target, expected)
    TableFolder(table).current.unlink()
    TableFolder(table).log.unlink()
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected[variant] == Failed("TableNotFound", {"name": variant})
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/restore/new-version",
    "A restore adds one version, by system and with a later timestamp, and takes none away.",
)
def test_a_restore_is_a_new_version(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    table = tables_of(reedbackup_db)["text"]
    before = table.versions()
    expect_restore(
        reedbackup,
        reedbackup_db,
        before[0].timestamp,
        expected_outcomes(reedbackup_db, before[0].timestamp),
    )
    *kept, made = table.versions()
    expect("the versions that were there", kept, before)
    expect_that(
        made.timestamp > before[-1].timestamp,
        "the new version's timestamp",
        expected=f"later than {before[-1].timestamp}",
        found=made.timestamp,
    )


@case(
    "last/restore/new-version/unchanged",
    "A restore to what a table is already adds a version too.",
)
def test_a_restore_to_the_current_version_adds_one_too(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    table = tables_of(reedbackup_db)["text"]
    assert expected["text"] == Restored(table.versions()[-1].timestamp, table.current.read_bytes())
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/restore/again",
    "Restores follow restores: back, forwards, and to what a restore made.",
)
def test_restores_follow_restores(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    first, *_, last = stamps(reedbackup_db)
    for target in (first, last, first, first):
        expect_restore(reedbackup, reedbackup_db, target, expected_outcomes(reedbackup_db, target))
    made = stamps(reedbackup_db)[-2]
    expected = expected_outcomes(reedbackup_db, made)
    table = tables_of(reedbackup_db)["text"]
    assert expected["text"] == Restored(made, table.content(first))
    expect_restore(reedbackup, reedbackup_db, made, expected)


@case(
    "last/restore/others-untouched",
    "A restore leaves indices/, registry/, backups/ and files of others as they were.",
)
def test_a_restore_leaves_everything_else_alone(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    for path in ("backups/5.tar.gz", "backups/notes.txt", "tables/text/notes.txt", "settings"):
        (reedbackup_db / path).parent.mkdir(exist_ok=True)
        (reedbackup_db / path).write_text("of others")
    others = ("tables",)
    before = Tree.read(reedbackup_db, exclude=others)
    target = stamps(reedbackup_db)[0]
    expect_restore(reedbackup, reedbackup_db, target, expected_outcomes(reedbackup_db, target))
    after = Tree.read(reedbackup_db, exclude=others)
    expect_same_tree("the base without tables/", after, before)
