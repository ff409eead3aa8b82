"""The time that a backup is of, and that its name tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot

from reedbase_backup import (
    IoError,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.create import create_backup_at


def test_backups_of_one_second_are_all_kept_and_the_later_is_newer(
    base: Path, backup_at: BackupAt
) -> None:
    made = [backup_at(base, 1000) for _ in range(12)]

    assert len({info.id for info in made}) == 12
    assert [info.timestamp for info in made] == [1000] * 12
    assert list_backups(base) == made[::-1]


def test_a_backup_by_a_clock_that_went_back_is_kept_with_that_clocks_time(
    base: Path, backup_at: BackupAt
) -> None:
    newer = [backup_at(base, 2000 + n) for n in range(32)]
    late = backup_at(base, 1000)

    assert late.timestamp == 1000
    assert list_backups(base) == [*newer[:0:-1], late]


@pytest.mark.parametrize("seconds", [0, 2**31, 2**33, 2**63, 2**64 - 1])
def test_any_u64_second_is_a_time_for_a_backup(
    base: Path, backup_at: BackupAt, seconds: int
) -> None:
    assert backup_at(base, seconds).timestamp == seconds
    assert [info.timestamp for info in list_backups(base)] == [seconds]
    assert restore_point_in_time(base, 2**64 - 1).tables_restored == 2


@pytest.mark.parametrize("now_ns", [-1, 2**64 * 10**9])
def test_a_clock_outside_of_u64_seconds_is_refused(
    base: Path, snapshot: TakeSnapshot, now_ns: int
) -> None:
    before = snapshot(base)
    with pytest.raises(IoError, match="set the clock"):
        create_backup_at(base, now_ns)
    assert snapshot(base) == before
