"""Kills at any system call: all old or all new."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fixture_types import CopyBase, ReadDatabase, Tree
from reference.faults.traced import (
    DONE,
    EVERY,
    Kill,
    Restored,
    RunTraced,
    assert_sound,
    each,
    leftovers,
)

from reedbase_backup import BackupNotFound, create_backup, list_backups, restore_point_in_time

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize("moving", ["old", "new"])
def test_a_recovery_that_is_killed_itself_is_finished_by_the_next_call(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
    moving: str,
) -> None:
    """Back, where nothing has been moved yet, or else to its end."""
    old, new, run = restored
    name, n = run.points[run.at("rename", '"tables"', f"/{moving}>")]
    half = clone(small, "half")
    kill("restore", half, name, n)
    recovery = run_traced("create", clone(half, "recovered"))
    points = recovery.points[: recovery.at("rename", DONE)]

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        create_backup(base)
        assert database(base) == (old if moving == "old" else new), (name, n)
        assert leftovers(base) == []

    each(points, clone, half, check)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("next_call", [create_backup, lambda base: restore_point_in_time(base, 1)])
def test_what_is_written_between_a_kill_and_the_next_call_is_all_there_or_not_at_all(
    small: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
    next_call: Callable[[Path], object],
    every: int,
) -> None:
    """Live files are linked into the trees to come: to write to one is to write to both."""
    log, version = Path("tables", "t", "kept.log"), Path("tables", "t", "made.bsdiff")
    (small / log).write_text("kept\n")
    create_backup(small)
    (small / "tables" / "t" / "current.csv").write_text("changed again")
    base = clone(small, "undisturbed")
    run = run_traced("restore", base)
    trees = [without(database(one), log) for one in (small, base)]
    assert run.at("linkat", '"kept.log"') < run.at("rename", '"tables"', "/old>")
    written = Counter[bool]()

    def check(base: Path, name: str, n: int) -> None:
        kill("restore", base, name, n)
        is_live = (base / log).exists()
        if is_live:
            times = (base / log.parent).stat()
            with (base / log).open("a") as file:
                file.write("later\n")
            (base / version).touch()
            os.utime(base / log.parent, ns=(times.st_atime_ns, times.st_mtime_ns))
        with suppress(BackupNotFound):
            next_call(base)
        is_there = (base / version).exists()
        assert (base / log).read_text() == ("kept\nlater\n" if is_there else "kept\n"), (name, n)
        assert without(database(base), log, version) in trees, (name, n)
        assert leftovers(base) == []
        written[is_there] += 1

    each(run.points[::every], clone, small, check)
    assert written[True] > 5


def without(tree: Tree, *paths: Path) -> Tree:
    return {name: entry for name, entry in tree.items() if Path(name) not in paths}
