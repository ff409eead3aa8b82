"""Kills, failing calls and power cuts in a restore that is undoable, and in its undoing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from fixture_types import CopyBase, ReadDatabase, Tree
from reference.faults.traced import CALLS, LOOKS, Kill, RunTraced, assert_failed_cleanly, each

from pytest_reedbackup.injection.programs.faults import PowerCut
from reedbase_backup import IoError, create_backup
from reedbase_backup.undo import NOTHING, replaced, restore_undoably, undo_restore

pytestmark = pytest.mark.slow

EVERY = [
    pytest.param(20, id="sample"),
    pytest.param(1, id="full", marks=pytest.mark.campaign),
]
KEPT = r'"\.reedbackup-commit-.*"\.reedbackup-undo-'
TAKEN_UP = r'"\.reedbackup-undo-.*"\.reedbackup-commit-'
TURNED = r'"journal".*"journal\.undo"'
CALLS_TO_FAIL = [
    pytest.param(CALLS, id="change"),
    pytest.param(f"{LOOKS['stat']},{LOOKS['open']}", id="look", marks=pytest.mark.campaign),
]
LATEST = 2**64 - 1


class Prepared(NamedTuple):
    """A database before an undoable restore, and one after it; and what comes of each call."""

    before: Path
    after: Path
    earlier: Tree | None
    """What an earlier restore has kept."""
    live: Tree
    restored: Tree


@pytest.fixture(params=[False, True], ids=["nothing kept", "an earlier one kept"])
def prepared(
    request: pytest.FixtureRequest, small: Path, clone: CopyBase, database: ReadDatabase
) -> Prepared:
    earlier = None
    if request.param:
        earlier = database(small)
        restore_undoably(small, LATEST)
    (small / "tables" / "t" / "current.csv").write_text("changed again")
    after = clone(small, "after")
    restore_undoably(after, LATEST)
    return Prepared(small, after, earlier, database(small), database(after))


def expect_kept(base: Path, tree: Tree | None, database: ReadDatabase, *words: object) -> None:
    """Undo, and have `tree`; or there is nothing to undo."""
    if tree is None:
        assert replaced(base) is None, words
    else:
        undo_restore(base)
        assert database(base) == tree, words
    assert [*base.rglob(".reedbackup*")] == [], words


def debris(base: Path) -> list[Path]:
    return [p for p in base.rglob(".reedbackup*") if not p.name.startswith(".reedbackup-undo-")]


@pytest.mark.parametrize("every", EVERY)
def test_a_kill_while_it_is_kept_leaves_the_one_tree_and_what_was_kept_or_the_other_and_the_one(
    prepared: Prepared,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
    every: int,
) -> None:
    run = run_traced("keep", clone(prepared.before, "undisturbed"))
    seen = set()

    def check(base: Path, name: str, n: int) -> None:
        kill("keep", base, name, n)
        create_backup(base)
        assert debris(base) == [], (name, n)
        is_restored = database(base) == prepared.restored
        assert is_restored or database(base) == prepared.live, (name, n)
        kept = prepared.live if is_restored else prepared.earlier
        expect_kept(base, kept, database, name, n)
        seen.add(is_restored)

    last = run.at("rename", KEPT)
    points = {*run.points[::every], run.points[last]}
    each(sorted(points), clone, prepared.before, check)
    assert seen == {False, True}


def again(base: Path) -> None:
    """Undo; where the call before is completed by that, there is nothing more to undo."""
    try:
        undo_restore(base)
    except IoError as error:
        if error.operation != NOTHING:
            raise


@pytest.mark.parametrize("next_call", [create_backup, again])
@pytest.mark.parametrize("every", EVERY)
def test_a_kill_while_it_is_undone_leaves_the_one_tree_or_the_other_and_that_one_kept(
    prepared: Prepared,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    kill: Kill,
    every: int,
    next_call: Callable[[Path], object],
) -> None:
    run = run_traced("undo", clone(prepared.after, "undisturbed"))
    seen = set()

    def check(base: Path, name: str, n: int) -> None:
        kill("undo", base, name, n)
        next_call(base)
        assert debris(base) == [], (name, n)
        is_undone = database(base) == prepared.live
        assert is_undone or database(base) == prepared.restored, (name, n)
        expect_kept(base, None if is_undone else prepared.live, database, name, n)
        seen.add(is_undone)

    # From where the lock is linked, which is before anything counts.
    first, turned = run.at("rename", TAKEN_UP) - 3, run.at("rename", TURNED)
    points = {*run.points[::every], *run.points[first : turned + 2]}
    each(sorted(points), clone, prepared.after, check)
    assert seen == ({True} if next_call is again else {False, True})


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("when", ["{n}", "{n}+"], ids=["once", "for good"])
@pytest.mark.parametrize("calls", CALLS_TO_FAIL)
@pytest.mark.parametrize("call", ["keep", "undo"])
def test_a_call_that_fails_has_changed_nothing_nor_what_is_kept_or_has_succeeded(
    prepared: Prepared,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    call: str,
    calls: str,
    when: str,
    every: int,
) -> None:
    is_keeping = call == "keep"
    start = prepared.before if is_keeping else prepared.after
    failed = (prepared.live, prepared.earlier) if is_keeping else (prepared.restored, prepared.live)
    succeeded = (prepared.restored, prepared.live) if is_keeping else (prepared.live, None)

    def check(base: Path, name: str, n: int) -> None:
        done = run_traced(call, base, f"{name}:error=EIO:when={when.format(n=n)}", calls)
        # Where nothing can be written, that cannot be said either.
        if done.status != 0 and name != "write":
            assert_failed_cleanly(done)
        tree, kept = succeeded if done.status == 0 else failed
        # What fails for good may keep all from being put back at once.
        assert "next create" in done.stderr or database(base) == tree, (name, n, done)
        create_backup(base)
        if "next create" in done.stderr and not is_keeping:
            assert database(base) in (prepared.live, prepared.restored), (name, n, done)
            return
        assert database(base) == tree, (name, n, done)
        assert debris(base) == [], (name, n)
        expect_kept(base, kept, database, name, n, done)

    undisturbed = run_traced(call, clone(start, "undisturbed too"), None, calls)
    assert undisturbed.status == 0
    each(undisturbed.points[::every], clone, start, check)


@pytest.mark.campaign
@pytest.mark.parametrize("call", ["keep", "undo"])
def test_a_power_cut_leaves_the_one_tree_or_the_other_and_a_success_stays(
    prepared: Prepared, database: ReadDatabase, reedbackup_power_cut: PowerCut, call: str
) -> None:
    keep, undo = (prepared.restored, prepared.live), (prepared.live, None)

    def check(base: Path) -> None:
        create_backup(base)
        assert debris(base) == []
        tree = database(base)
        states = (keep, (prepared.live, prepared.earlier)) if call == "keep" else (keep, undo)
        [kept] = [kept for state, kept in states if state == tree]
        expect_kept(base, kept, database)

    def succeeded(base: Path) -> None:
        tree, kept = keep if call == "keep" else undo
        assert database(base) == tree
        create_backup(base)
        expect_kept(base, kept, database)

    base = prepared.before if call == "keep" else prepared.after
    change = keep_latest if call == "keep" else undo_restore
    assert reedbackup_power_cut(base, change, check, after_success=succeeded) > 20


def keep_latest(base: Path) -> None:
    restore_undoably(base, LATEST)
