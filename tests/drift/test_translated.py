"""An implementation of one contract under the other: what is translated, and what stays missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations.answers import Answered, Refused
from pytest_reedbackup.implementations.translation import (
    NANO,
    TRANSLATIONS,
)
from pytest_reedbackup.model.failures import BrokenPromise
from reedbase_backup.types import U64_MAX

U64 = st.integers(0, U64_MAX)
TO_LAST, TO_TICKET = TRANSLATIONS["last", "ticket"].target, TRANSLATIONS["ticket", "last"].target

OVER_STDIO = f"{sys.executable} -m reedbase_backup serve python-last"


@pytest.fixture(params=["python-last", OVER_STDIO], ids=["in-process", "over-stdio"])
def last(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    implementation = Connection(request.param, tmp_path)
    yield implementation
    implementation.close()


@pytest.fixture
def ticket(tmp_path: Path) -> Any:
    implementation = Connection("python", tmp_path)
    yield implementation
    implementation.close()


def value(answer: Answered | Refused) -> Any:
    assert isinstance(answer, Answered), answer
    return answer.value


def missing(read: Callable[[], object], spoken: str = "last") -> str:
    """What the case looked at, where to read it breaks the promise."""
    with pytest.raises(BrokenPromise) as broken:
        read()
    found = broken.value.expected, broken.value.found
    assert found == ("a value", f"(not said by {spoken})")
    return broken.value.what


@given(seconds=U64, version=U64)
def test_a_second_takes_in_all_versions_written_in_it_and_none_later(
    seconds: int, version: int
) -> None:
    assert (version <= TO_LAST(seconds)) == (version // NANO <= seconds)
    assert 0 <= TO_LAST(seconds) <= U64_MAX


@given(nanoseconds=U64, backup=st.integers(0, U64_MAX // NANO + 1))
def test_a_nanosecond_takes_in_all_backups_of_seconds_that_began(
    nanoseconds: int, backup: int
) -> None:
    assert (backup <= TO_TICKET(nanoseconds)) == (backup * NANO <= nanoseconds)


def test_a_backup_of_last_is_one_of_the_tickets_as_far_as_it_says(
    last: Connection, base: Path
) -> None:
    made = value(last.call("create_backup", "ticket", base, now_ns=7 * NANO))
    archive = base / "backups" / "7.tar.gz"
    assert (made.id, made.timestamp, made.size_bytes) == ("7", 7, archive.stat().st_size)
    assert value(last.call("list_backups", "ticket", base)) == [made]
    assert missing(lambda: made.table_count) == "table_count of what came back"
    assert missing(lambda: made.compression) == "compression of what came back"
    assert not hasattr(made, "path")
    assert repr(made) == f"TicketBackup(id='7', timestamp=7, size_bytes={made.size_bytes})"


def test_a_restore_to_a_second_is_one_to_its_last_nanosecond(last: Connection, base: Path) -> None:
    second = 1_700_000_000
    answer = last.call("restore_point_in_time", "ticket", base, target_timestamp=second)
    assert value(answer).tables_restored == 2
    assert isinstance(answer, Answered)
    assert answer.untranslated.target_timestamp == second * NANO + NANO - 1
    assert missing(lambda: value(answer).total_bytes) == "total_bytes of what came back"
    assert missing(lambda: value(answer).duration_ms) == "duration_ms of what came back"
    before = last.call("restore_point_in_time", "ticket", base, target_timestamp=second - 1)
    assert value(before).tables_restored == 0


def test_an_error_is_passed_on_as_it_is(last: Connection, tmp_path: Path) -> None:
    answer = last.call("restore_point_in_time", "ticket", tmp_path, target_timestamp=1)
    assert isinstance(answer, Refused)
    assert (answer.kind, answer.message) == ("NoTablesFound", "No tables found")


def test_a_backup_of_the_ticket_is_one_of_last(ticket: Connection, base: Path) -> None:
    made = value(ticket.call("create_backup", "last", base, now_ns=7 * NANO))
    archive = base / "backups" / "7.tar.gz"
    size = archive.stat().st_size
    assert (made.timestamp, made.path, made.size_bytes) == (7, str(archive), size)
    assert made.size_mb == size / 1048576
    answer = ticket.call("restore_point_in_time", "last", base, target_timestamp=8 * NANO - 1)
    for field in ("target_timestamp", "tables_restored", "tables_skipped", "errors"):
        read = partial(getattr, value(answer), field)
        assert missing(read, "ticket") == f"{field} of what came back"
    assert answer.untranslated.tables_restored == 2  # type: ignore[union-attr]
    early = ticket.call("restore_point_in_time", "last", base, target_timestamp=7 * NANO - 1)
    assert isinstance(early, Refused)
    assert early.fields == {"target": 6, "oldest": 7}


def test_a_claimed_contract_is_not_translated(last: Connection, base: Path) -> None:
    answer = last.call("create_backup", "last", base, now_ns=7 * NANO)
    assert isinstance(answer, Answered)
    assert answer.untranslated is None
    Implementation(last, "last").expect_own_type("create_backup")


@pytest.mark.parametrize(
    ("option", "asked", "method", "lacking"),
    [
        ("python-last", "ticket", "create_backup", "id, table_count, compression"),
        ("python-last", "ticket", "list_backups", "id, table_count, compression"),
        ("python-last", "ticket", "restore_point_in_time", "total_bytes, duration_ms"),
        ("python", "last", "create_backup", "path, size_mb"),
        ("python", "last", "list_backups", "path, size_mb"),
        (
            "python",
            "last",
            "restore_point_in_time",
            "target_timestamp, tables_skipped, errors",
        ),
    ],
)
def test_a_translated_type_is_not_the_contracts_own(
    option: str, asked: Any, method: str, lacking: str, tmp_path: Path
) -> None:
    implementation = Implementation(Connection(option, tmp_path), asked)
    with pytest.raises(BrokenPromise, match=f"the fields of what {method} returns") as broken:
        implementation.expect_own_type(method)
    assert broken.value.found.endswith(f" (no {lacking})")


def test_backups_are_compared_by_what_is_said(last: Connection, base: Path) -> None:
    first, second = (
        value(last.call("create_backup", "ticket", base, now_ns=second * NANO)) for second in (7, 8)
    )
    assert value(last.call("list_backups", "ticket", base)) == [second, first]
    assert first != second
