"""A reply that does not fit is told all that is wrong with it, and what is right."""

from __future__ import annotations

from typing import Any

import pytest
from harness.implementations.canned import BACKUP, LAST_REPORT, REPORT

from reedbase_backup.adapter.schemas.complaints import complaints
from reedbase_backup.adapter.words import ROUNDED, did_you_mean, nearest
from reedbase_backup.types import U64_MAX


def about(value: Any, name: str = "ticket.create_backup") -> list[str]:
    result = {"value": value, "elapsed_ns": 1}
    return complaints(f"replies/{name}", {"jsonrpc": "2.0", "id": 1, "result": result})


def test_all_that_is_wrong_is_listed_with_what_may_be_meant_and_what_is_right() -> None:
    value = {"id": 5, "timestamp": 5, "sizeBytes": 9, "table_count": -1, "compression": "gzip"}
    assert sorted(about(value)) == [
        "`result.value.id`: 5 in place of a string",
        "`result.value.sizeBytes`: unknown field; did you mean `size_bytes`?",
        "`result.value.size_bytes`: missing",
        "`result.value.table_count`: -1 is below 0",
        "right of `result.value`: `timestamp`, `compression`",
    ]


def test_a_reply_that_fits_is_told_nothing() -> None:
    assert about(BACKUP) == []
    assert about(LAST_REPORT, "last.restore_point_in_time") == []


def test_entries_of_a_list_that_are_wrong_alike_are_one_line() -> None:
    entry = {name: value for name, value in BACKUP.items() if name != "id"}
    lines = about([entry] * 32, "ticket.list_backups")
    assert lines[0] == "`result.value[0].id`: missing (as in 31 other entries)"
    assert len(lines) == 2


@pytest.mark.parametrize("sent", [18446744073709552000, 1.8446744073709552e19])
def test_what_javascript_makes_of_the_largest_integer_is_told_with_the_way_out(
    sent: float,
) -> None:
    (line,) = about({**REPORT, "total_bytes": sent}, "ticket.restore_point_in_time")
    assert line.endswith(ROUNDED)
    assert "BigInt" in ROUNDED


def test_a_number_that_is_too_large_in_itself_is_not_called_rounded() -> None:
    (line,) = about({**REPORT, "total_bytes": U64_MAX * 3}, "ticket.restore_point_in_time")
    assert "is more than 2^64-1" in line
    assert ROUNDED not in line


@pytest.mark.parametrize(
    ("written", "meant"),
    [("IOError", "IoError"), ("io_error", "IoError"), ("NotFound", "BackupNotFound"), ("Zz", "")],
)
def test_the_nearest_name_is_found_however_a_language_writes_names(
    written: str, meant: str
) -> None:
    assert nearest(written, ["IoError", "BackupNotFound", "LockTimeout"]) == meant


def test_a_name_that_is_right_is_not_asked_about() -> None:
    assert did_you_mean("IoError", ["IoError"]) == ""
