"""Which backup a restore takes: contract `ticket`, restore/pick."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot
from reference.restore.live import change

from reedbase_backup import (
    BackupNotFound,
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1000, "at 1000"),
        (1001, "at 1000"),
        (1999, "at 1000"),
        (2000, "at 2000"),
        (2001, "at 2000"),
        (2**32 - 1, "at 2000"),
        (2**32, f"at {2**32}"),
        (2**63 - 1, f"at {2**32}"),
        (2**63, f"at {2**63}"),
        (FOREVER - 1, f"at {2**63}"),
        (FOREVER, f"at {FOREVER}"),
    ],
)
def test_a_restore_takes_the_newest_backup_at_or_before_the_target(
    base: Path, backup_at: BackupAt, target: int, expected: str
) -> None:
    for second in (2**63, 1000, FOREVER, 2000, 2**32):
        change(base, f"at {second}")
        backup_at(base, second)
    change(base, "now")

    restore_point_in_time(base, target)

    assert (base / "tables" / "text" / "current.csv").read_text() == expected


def test_of_backups_of_one_second_a_restore_takes_the_one_created_last(
    base: Path, backup_at: BackupAt
) -> None:
    for n in range(11):
        change(base, f"number {n}")
        backup_at(base, 1000)
    change(base, "now")
    restore_point_in_time(base, 1000)
    assert (base / "tables" / "text" / "current.csv").read_text() == "number 10"


@pytest.mark.parametrize("target", [0, 1, 999])
def test_no_backup_before_the_target_is_an_error_and_nothing_changes(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, target: int
) -> None:
    backup_at(base, 2000)
    backup_at(base, 1000)
    before = snapshot(base)

    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base, target)

    assert caught.value.fields == {"target": target, "oldest": 1000}
    assert snapshot(base) == before


@pytest.mark.parametrize("path", [".reed", "missing", "file", "nul\0", "x" * 5000])
def test_a_base_without_backups_has_none_to_restore(
    base: Path, snapshot: TakeSnapshot, path: str
) -> None:
    (base.parent / "file").touch()
    before = snapshot(base.parent)
    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base.parent / path, 5)
    assert caught.value.fields == {"target": 5, "oldest": None}
    assert snapshot(base.parent) == before


@pytest.mark.parametrize("target", [-1, 2**64])
def test_a_target_that_is_no_u64_is_refused(base: Path, target: int) -> None:
    create_backup(base)
    with pytest.raises(ValueError, match=r"Unix seconds in 0 \.\.\. 2\^64-1"):
        restore_point_in_time(base, target)


@pytest.mark.parametrize("target", [True, 1e9, float("inf"), "1000", b"1000", None])
def test_a_target_that_is_no_whole_number_is_refused_as_it_was_given(
    base: Path, snapshot: TakeSnapshot, target: object
) -> None:
    create_backup(base)
    before = snapshot(base)
    with pytest.raises(TypeError, match=f"Unix seconds .* not {target!r}$"):
        restore_point_in_time(base, target)  # type: ignore[arg-type]
    assert snapshot(base) == before


def test_a_whole_number_of_any_type_is_a_target(base: Path, backup_at: BackupAt) -> None:
    class Number:
        def __index__(self) -> int:
            return 999

    backup_at(base, 1000)
    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base, Number())  # type: ignore[arg-type]
    assert (caught.value.target, type(caught.value.target)) == (999, int)
