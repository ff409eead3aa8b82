"""Kills at any system call: all old or all new."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from fixture_types import CopyBase, ReadDatabase
from reference.faults.traced import (
    DONE,
    Kill,
    Restored,
    RunTraced,
    assert_sound,
    each,
    leftovers,
)

from reedbase_backup import create_backup, list_backups, restore_point_in_time

pytestmark = pytest.mark.slow

# Killed -----------------------------------------------------------------------


def test_a_create_killed_at_any_call_leaves_old_backups_and_the_next_create_cleans_up(
    small: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
) -> None:
    before = database(small)
    run = run_traced("create", clone(small, "undisturbed"))
    assert run.status == 0

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        assert len(list_backups(base)) in (1, 2)
        assert_sound(base)
        create_backup(base)
        assert leftovers(base) == [], (name, n)
        assert database(base) == before
        assert_sound(base)

    each(run.points, clone, small, check)


def test_a_create_killed_while_it_prunes_loses_no_backup_that_is_to_stay(
    small: Path, clone: CopyBase, run_traced: RunTraced, kill: Kill
) -> None:
    backups = small / "backups"
    for second in range(1001, 1034):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    old = [info.id for info in list_backups(small)]
    run = run_traced("create", clone(small, "undisturbed"))
    first = run.at("link", "partial")

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        kept = [info.id for info in list_backups(base)]
        assert set(old[:31]) <= set(kept), (name, n)
        create_backup(base)
        assert len(list_backups(base)) == 32, (name, n)
        assert leftovers(base) == []

    each(run.points[first:], clone, small, check)


def test_a_restore_killed_at_any_call_is_all_old_or_all_new_by_the_next_call(
    small: Path, clone: CopyBase, restored: Restored, database: ReadDatabase, kill: Kill
) -> None:
    old, new, run = restored
    ends: Counter[str] = Counter()

    def check(base: Path, name: str, n: int) -> None:
        kill("restore", base, name, n)
        repeated = clone(base, f"{base.name} repeated")
        create_backup(base)
        assert database(base) in (old, new), (name, n)
        assert leftovers(base) == [], (name, n)
        ends["old" if database(base) == old else "new"] += 1

        restore_point_in_time(repeated, 1000)
        assert database(repeated) == new, (name, n)
        assert leftovers(repeated) == [], (name, n)

    each(run.points, clone, small, check)
    assert min(ends["old"], ends["new"]) > 5


def test_a_recovery_that_is_killed_itself_is_finished_by_the_next_call(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
) -> None:
    _, new, run = restored
    name, n = run.points[run.at("rename", '"tables"', "/old>")]
    half = clone(small, "half")
    kill("restore", half, name, n)
    recovery = run_traced("create", clone(half, "recovered"))
    points = recovery.points[: recovery.at("rename", DONE)]

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        create_backup(base)
        assert database(base) == new, (name, n)
        assert leftovers(base) == []

    each(points, clone, half, check)
