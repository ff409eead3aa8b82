"""Two lists or records are shown by what differs, whatever is equal around it."""

from __future__ import annotations

import pytest

from pytest_reedbackup.model.differences import difference
from reedbase_backup.adapter.protocol import TicketReport


def test_of_two_long_lists_the_one_entry_that_is_missing_is_shown() -> None:
    ids = [str(number) for number in range(33)]
    lines = difference(ids, ids[:20] + ids[21:])
    assert lines == ["  … 20 entries as expected", "- '20'", "  … 12 entries as expected"]


def test_of_two_records_the_field_that_differs_is_shown() -> None:
    def report(total: int) -> TicketReport:
        return TicketReport(tables_restored=3, total_bytes=total, duration_ms=1)

    assert difference(report(5), report(6)) == [
        "- total_bytes: 5",
        "+ total_bytes: 6",
        "  … 2 fields as expected",
    ]


def test_what_only_one_record_has_is_shown_by_its_side() -> None:
    assert difference({"a": 1}, {"b": 1}) == ["- a: 1", "+ b: 1"]


@pytest.mark.parametrize(("expected", "found"), [(1, 2), ("a", "b"), ([1], 1), ({}, [])])
def test_other_values_have_no_difference_in_lines(expected: object, found: object) -> None:
    assert difference(expected, found) == []
