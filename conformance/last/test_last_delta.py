"""Deltas under contract `last`: missing, damaged, unusual, and never verified."""

from __future__ import annotations

import lzma
from pathlib import Path

from pytest_reedbackup.checks.last_outcomes import Failed, Restored, expected_outcomes
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.injection.damage import (
    ACCEPTED_DELTAS,
    UNDECODABLE,
    UNFIT,
    Delta,
    record,
    xz,
)
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import (
    IS_A_FOLDER,
    NO_SUCH_FILE,
    NOT_A_FILE,
    TableFolder,
    tables_of,
)
from reedbase_backup.types import U64_MAX

# Which of the three versions is damaged: one that the last one is built on.
MIDDLE = 1


@cases(
    "last/delta/missing",
    "A missing {variant} delta is IoError with the operation and the path; the others go on.",
    {"first": 0, "middle": 1, "last": 2},
)
def test_a_missing_delta_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: int
) -> None:
    table = tables_of(reedbackup_db)["text"]
    path = _delta(table, variant)
    path.unlink()
    operation = f"read_delta_file: {path}" if variant else "copy_init_delta"
    _expect_failed(
        reedbackup,
        reedbackup_db,
        Failed("IoError", {"operation": operation, "reason": NO_SUCH_FILE}),
    )


@case(
    "last/delta/missing/after-the-target",
    "A delta after the target's version is not needed.",
)
def test_a_missing_delta_after_the_target_is_not_needed(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    _delta(table, 2).unlink()
    target = table.versions()[MIDDLE].timestamp
    expected = expected_outcomes(reedbackup_db, target)
    assert isinstance(expected["text"], Restored)
    expect_restore(reedbackup, reedbackup_db, target, expected)


@cases(
    "last/delta/in-the-way",
    "A folder in the place of the {variant} delta is IoError with the operation; the others go on.",
    {"first": 0, "last": 2},
)
def test_a_folder_for_a_delta_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: int
) -> None:
    path = _delta(tables_of(reedbackup_db)["text"], variant)
    path.unlink()
    path.mkdir()
    fields = (
        {"operation": f"read_delta_file: {path}", "reason": IS_A_FOLDER}
        if variant
        else {"operation": "copy_init_delta", "reason": NOT_A_FILE}
    )
    _expect_failed(reedbackup, reedbackup_db, Failed("IoError", fields))


@case(
    "last/delta/missing/a-dangling-symlink",
    "A delta that is a symlink to nowhere is missing.",
)
def test_a_delta_that_leads_nowhere_is_missing(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    path = _delta(tables_of(reedbackup_db)["text"], MIDDLE)
    path.unlink()
    path.symlink_to("nowhere")
    fields = {"operation": f"read_delta_file: {path}", "reason": NO_SUCH_FILE}
    _expect_failed(reedbackup, reedbackup_db, Failed("IoError", fields))


@case(
    "last/delta/accepted/a-symlink",
    "A delta that is a symlink to a file is read like any other.",
)
def test_a_delta_may_be_a_symlink(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    path = _delta(tables_of(reedbackup_db)["text"], MIDDLE)
    path.symlink_to(path.rename(path.with_name("elsewhere")).name)
    expected = expected_outcomes(reedbackup_db, U64_MAX)
    assert isinstance(expected["text"], Restored)
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected)


@cases(
    "last/delta/undecodable",
    "A delta that is not one whole xz stream ({variant}) is DecompressionFailed.",
    UNDECODABLE,
)
def test_a_delta_that_is_no_xz_stream_is_refused(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, Delta]
) -> None:
    reason, damage = variant
    _change(tables_of(reedbackup_db)["text"], damage)
    _expect_failed(
        reedbackup,
        reedbackup_db,
        Failed("DecompressionFailed", {"reason": f"XZ read error: {reason}"}),
    )


@cases(
    "last/delta/unfit",
    "A stream that does not fit ({variant}) is DeltaApplicationFailed.",
    UNFIT,
)
def test_a_stream_that_does_not_fit_is_refused(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, Delta]
) -> None:
    kind, damage = variant
    _change(tables_of(reedbackup_db)["text"], damage)
    _expect_failed(reedbackup, reedbackup_db, _unfit(kind))


@case(
    "last/delta/unfit/first-version-empty",
    "A first version that was emptied makes the next delta unfit.",
)
def test_an_emptied_first_version_makes_the_next_delta_unfit(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    _delta(tables_of(reedbackup_db)["text"], 0).write_bytes(b"")
    _expect_failed(reedbackup, reedbackup_db, _unfit("UnexpectedEof"))


@cases(
    "last/delta/accepted",
    "A stream that ends between two records is a whole one: {variant}.",
    ACCEPTED_DELTAS,
)
def test_streams_that_the_baseline_accepts(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[Delta, bytes]
) -> None:
    damage, content = variant
    table = tables_of(reedbackup_db)["text"]
    _change(table, damage)
    _expect_restored(reedbackup, reedbackup_db, table, content)


@cases(
    "last/delta/accepted/checksum",
    "An xz stream may have any checksum: {variant}.",
    {
        "none": lzma.CHECK_NONE,
        "crc32": lzma.CHECK_CRC32,
        "crc64": lzma.CHECK_CRC64,
        "sha256": lzma.CHECK_SHA256,
    },
)
def test_any_checksum_of_xz_is_accepted(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: int
) -> None:
    table = tables_of(reedbackup_db)["text"]
    content = table.content(table.versions()[MIDDLE].timestamp)
    _change(table, lambda delta: xz(lzma.decompress(delta), variant))
    _expect_restored(reedbackup, reedbackup_db, table, content)


@case(
    "last/delta/unverified/first-version",
    "A changed first version restores wrong content, as a success.",
    defect="D8",
)
def test_a_changed_first_version_goes_unnoticed(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    table = tables_of(reedbackup_db)["text"]
    first = table.versions()[0]
    path = table.delta(first.timestamp)
    changed = path.read_bytes().replace(b"key", b"KEY", 1)
    path.write_bytes(changed)
    expected = expected_outcomes(reedbackup_db, first.timestamp)
    assert expected["text"] == Restored(first.timestamp, changed)
    expect_restore(reedbackup, reedbackup_db, first.timestamp, expected)


@case(
    "last/delta/unverified/another-delta",
    "Another valid delta in the place of one restores its content, as a success.",
    defect="D8",
)
def test_another_delta_goes_unnoticed(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    table = tables_of(reedbackup_db)["text"]
    _change(table, lambda delta: xz(record(0, b"key|value\nnot|this\n")))
    _expect_restored(reedbackup, reedbackup_db, table, b"key|value\nnot|this\n")


@case(
    "last/delta/unverified/current",
    "A current.csv that was changed from outside goes unnoticed: the new delta starts from it.",
    defect="D8",
)
def test_a_current_csv_changed_outside_goes_unnoticed(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    tables_of(reedbackup_db)["text"].current.write_bytes(bytes(range(256)))
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))


def _delta(table: TableFolder, number: int) -> Path:
    return table.delta(table.versions()[number].timestamp)


def _change(table: TableFolder, damage: Delta) -> None:
    path = _delta(table, MIDDLE)
    path.write_bytes(damage(path.read_bytes()))


def _unfit(kind: str) -> Failed:
    return Failed("DeltaApplicationFailed", {"reason": f"bspatch error: Kind({kind})"})


def _expect_failed(reedbackup: LastImplementation, base: Path, failed: Failed) -> None:
    expected = expected_outcomes(base, U64_MAX)
    assert expected["text"] == failed
    expect_restore(reedbackup, base, U64_MAX, expected)


def _expect_restored(
    reedbackup: LastImplementation, base: Path, table: TableFolder, content: bytes
) -> None:
    """To the changed version itself, which nothing is built on."""
    target = table.versions()[MIDDLE].timestamp
    expected = expected_outcomes(base, target)
    assert expected["text"] == Restored(target, content)
    expect_restore(reedbackup, base, target, expected)
