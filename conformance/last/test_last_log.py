"""version.log under contract `last`: what a restore reads in it, and what it refuses."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.checks.expectations import expect
from pytest_reedbackup.checks.last_outcomes import Failed, Restored, Skipped, expected_outcomes
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.injection.damage import (
    ACCEPTED_LINES,
    ACCEPTED_LOGS,
    NO_VERSIONS,
    REFUSED_LINES,
    REFUSED_LOGS,
    Line,
    Log,
    half_last_line,
    line_changed,
)
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import IS_A_FOLDER, TableFolder, tables_of
from reedbase_backup.types import U64_MAX

NOT_UTF_8 = "stream did not contain valid UTF-8"

# The line that is damaged: neither the first of three nor the last.
LINE = 2


@cases(
    "last/log/no-versions",
    "A table whose version.log is {variant} has no versions, and is skipped.",
    {"missing": None, **NO_VERSIONS},
)
def test_a_log_without_lines_has_no_versions(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Log | None
) -> None:
    table = tables_of(reedbackup_db)["text"]
    if variant is None:
        table.log.unlink()
    else:
        table.log.write_bytes(variant(table.log.read_bytes()))
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Skipped()
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@cases("last/log/accepted", "A line with {variant} is read like any other.", ACCEPTED_LINES)
def test_lines_that_the_baseline_accepts(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Line
) -> None:
    _change_log(reedbackup_db, lambda log: line_changed(log, LINE, variant))
    _expect_sound(reedbackup, reedbackup_db)


@cases("last/log/line-ends", "A log with {variant} is read like any other.", ACCEPTED_LOGS)
def test_logs_that_the_baseline_accepts(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Log
) -> None:
    _change_log(reedbackup_db, variant)
    _expect_sound(reedbackup, reedbackup_db)


@cases(
    "last/log/refused",
    "A line with {variant} makes the table LogCorrupted, with the line's number.",
    REFUSED_LINES,
)
def test_lines_that_the_baseline_refuses(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, Line]
) -> None:
    what, line = variant
    _change_log(reedbackup_db, lambda log: line_changed(log, LINE, line))
    _expect_corrupted(reedbackup, reedbackup_db, f"Invalid {what} at line {LINE}")


@case("last/log/refused/after-the-target", "A line after the target's makes it LogCorrupted too.")
def test_a_damaged_line_after_the_targets_counts(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    target = tables_of(reedbackup_db)["text"].versions()[0].timestamp
    _change_log(reedbackup_db, half_last_line)
    expected = expected_outcomes(reedbackup_db, target)
    assert expected["text"] == Failed("LogCorrupted", {"reason": "Invalid format at line 3"})
    expect_restore(reedbackup, reedbackup_db, target, expected)


@cases(
    "last/log/unreadable",
    "A log with {variant} makes the table LogCorrupted.",
    REFUSED_LOGS,
)
def test_logs_that_the_baseline_refuses(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, Log]
) -> None:
    reason, log = variant
    _change_log(reedbackup_db, log)
    _expect_corrupted(reedbackup, reedbackup_db, reason)


TWO_FAULTS = {
    "few-fields-then-not-utf-8": ("Invalid format at line 2", b"bad\n\xff|2|0|5\n"),
    "not-utf-8-then-few-fields": (NOT_UTF_8, b"\xff|2|0|5\nbad\n"),
    "a-size-then-an-action": ("Invalid delta size at line 2", b"1|2|0|-5\n1|256|0|5\n"),
    "a-user-then-a-timestamp": ("Invalid user code at line 2", b"1|2|x|5\nx|2|0|5\n"),
    "in-one-line-with-not-utf-8": (NOT_UTF_8, b"x|256|\xff\n"),
    "behind-blank-lines": ("Invalid timestamp at line 5", b"\n \n\r\nx|2|0|5\n\xff\n"),
}


@cases(
    "last/log/first-fault",
    "Of two faults in a log ({variant}) the first decides, UTF-8 before fields; blank lines count.",
    TWO_FAULTS,
)
def test_the_first_bad_line_decides(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, bytes]
) -> None:
    reason, lines = variant
    _change_log(reedbackup_db, lambda log: log.replace(b"\n", b"\n" + lines, 1))
    _expect_corrupted(reedbackup, reedbackup_db, reason)


@case(
    "last/log/no-versions/a-dangling-symlink",
    "A version.log that is a symlink to nowhere has no versions, and nothing is made there.",
)
def test_a_log_that_leads_nowhere_has_no_versions(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    table.log.unlink()
    table.log.symlink_to("nowhere")
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Skipped()
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case("last/log/unreadable/a-folder", "A folder in the place of version.log is LogCorrupted.")
def test_a_folder_for_a_log_is_corrupted(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    table.log.unlink()
    table.log.mkdir()
    _expect_corrupted(reedbackup, reedbackup_db, IS_A_FOLDER)


def _twice(log: bytes) -> bytes:
    """The second line once more after the last, with another action, user and size."""
    return log + b"|".join([log.split(b"\n")[1].split(b"|")[0], b"2|0|9\n"])


def _doubled(log: bytes) -> bytes:
    """The second line twice."""
    first, second, rest = log.split(b"\n", 2)
    return b"\n".join([first, second, second, rest])


@cases(
    "last/log/order",
    "Of lines with one timestamp the oldest counts: {variant}.",
    {"repeated-at-the-end": _twice, "doubled": _doubled},
)
def test_the_oldest_line_of_a_timestamp_counts(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Log
) -> None:
    table = tables_of(reedbackup_db)["text"]
    second = table.versions()[1].timestamp
    content = table.content(second)
    _change_log(reedbackup_db, variant)
    expected = expected_outcomes(reedbackup_db, second)
    assert expected["text"] == Restored(second, content)
    expect_restore(reedbackup, reedbackup_db, second, expected)


@case(
    "last/log/order/dropped-line",
    "Deltas are applied in the log's order: without one of its lines they do not fit.",
)
def test_a_dropped_line_makes_the_next_delta_unfit(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    _change_log(
        reedbackup_db, lambda log: b"\n".join([*log.split(b"\n")[:1], *log.split(b"\n")[2:]])
    )
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert expected["text"] == Failed(
        "DeltaApplicationFailed", {"reason": "bspatch error: Kind(UnexpectedEof)"}
    )
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/log/order/dropped-first-line",
    "Whatever the log's first line names is taken raw, an xz stream too.",
)
def test_the_first_lines_file_is_taken_raw(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    second = table.versions()[1].timestamp
    packed = table.delta(second).read_bytes()
    _change_log(reedbackup_db, lambda log: log.split(b"\n", 1)[1])
    expected = expected_outcomes(reedbackup_db, second)
    assert expected["text"] == Restored(second, packed)
    expect_restore(reedbackup, reedbackup_db, second, expected)


@case(
    "last/log/order/unsorted",
    "The target picks by timestamp, the deltas up to it follow the log, whatever their times.",
)
def test_an_unsorted_log_is_followed_as_it_stands(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    stamp = 1_600_000_000 * 10**9
    table = TableFolder(edits.create_table(reedbackup_db, "unsorted", b"one\n", stamp))
    for number, content in enumerate((b"one\ntwo\n", b"one\ntwo\nthree\n"), 1):
        edits.write_version(table.path, content, stamp + number)
    # The middle version gets a later time than the last one.
    table.delta(stamp + 1).rename(table.delta(stamp + 9))
    table.log.write_bytes(
        table.log.read_bytes().replace(b"%d|" % (stamp + 1), b"%d|" % (stamp + 9))
    )
    for target, taken, content in (
        (stamp + 5, stamp + 2, b"one\ntwo\nthree\n"),
        (stamp + 9, stamp + 9, b"one\ntwo\n"),
    ):
        expected = expected_outcomes(reedbackup_db, target)
        assert expected["unsorted"] == Restored(taken, content)
        expect_restore(reedbackup, reedbackup_db, target, expected)


def _without_final_newline(base: Path) -> TableFolder:
    _change_log(base, lambda log: log.removesuffix(b"\n"))
    return tables_of(base)["text"]


@case(
    "last/log/no-final-newline",
    "Where the last line lacks its newline, restore succeeds and glues its line to it.",
    defect="D7",
)
def test_a_line_is_glued_to_a_last_one_without_newline(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    _without_final_newline(reedbackup_db)
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    text = expected["text"]
    assert isinstance(text, Restored)
    assert text.glued
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@case(
    "last/log/no-final-newline/afterwards",
    "After such a restore, every later one of that table is LogCorrupted.",
    defect="D7",
)
def test_a_glued_log_cannot_be_read_again(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = _without_final_newline(reedbackup_db)
    lines = len(table.versions())
    reedbackup.restored(reedbackup_db, U64_MAX)
    report = reedbackup.restored(reedbackup_db, U64_MAX)
    corrupted = {"kind": "LogCorrupted", "reason": f"Invalid delta size at line {lines}"}
    expect("the errors of the next restore", list(report.errors), [("text", corrupted)])


def _change_log(base: Path, change: Log) -> None:
    table = tables_of(base)["text"]
    table.log.write_bytes(change(table.log.read_bytes()))


def _expect_sound(reedbackup: LastImplementation, base: Path) -> None:
    """The damaged table must be restored from its first version to its last, as ever."""
    table = tables_of(base)["text"]
    for target in (table.versions()[1].timestamp, U64_MAX):
        expected = expected_outcomes(base, target)
        assert isinstance(expected["text"], Restored)
        expect_restore(reedbackup, base, target, expected)


def _expect_corrupted(reedbackup: LastImplementation, base: Path, reason: str) -> None:
    expected = expected_outcomes(base, U64_MAX)
    assert expected["text"] == Failed("LogCorrupted", {"reason": reason})
    expect_restore(reedbackup, base, U64_MAX, expected)
