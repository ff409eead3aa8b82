"""Failing disks: an error of which all is true, or success of which all is."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fixture_types import CopyBase, ReadDatabase
from reference.faults.traced import (
    COMMITTED,
    EVERY,
    LOOKS,
    Restored,
    RunTraced,
    assert_failed_cleanly,
    each,
    leftovers,
)

from reedbase_backup import create_backup, list_backups, restore, restore_point_in_time
from reedbase_backup.swap import working_folders

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("when", ["{n}", "{n}+"], ids=["once", "for good"])
@pytest.mark.parametrize("call", ["create", "restore"])
@pytest.mark.parametrize(
    "looks",
    ["close"]
    + [pytest.param(name, marks=pytest.mark.campaign) for name in ("stat", "open", "read")],
)
def test_a_call_that_cannot_look_has_not_happened_or_has_succeeded(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    call: str,
    looks: str,
    when: str,
    every: int,
) -> None:
    """No answer is never taken for a no: all old after an error, all new after success."""
    old, new, _ = restored
    calls = LOOKS[looks]

    def check(base: Path, name: str, n: int) -> None:
        done = run_traced(call, base, f"{name}:error=EIO:when={when.format(n=n)}", calls)
        if done.status != 0:
            assert_failed_cleanly(done)
        made = {info.id for info in list_backups(base)} - {"1000"}
        assert len(made) == (call == "create" and done.status == 0), (name, n, done)
        expected = new if call == "restore" and done.status == 0 else old
        # What fails for good may keep all from being put back at once.
        assert "next create" in done.stderr or database(base) == expected, (name, n, done)
        create_backup(base)
        assert database(base) == expected, (name, n, done)
        assert leftovers(base) == []

    undisturbed = run_traced(call, clone(small, "undisturbed too"), None, calls)
    each(undisturbed.points[::every], clone, small, check)


# From where on what the call is to bring about can be seen by others.
PUBLISHES = {"create": ("link", "/backups/"), "restore": ("rename", COMMITTED)}


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("call", PUBLISHES)
@pytest.mark.parametrize("kind", ["rename", "stat"])
def test_what_fails_for_good_after_the_point_of_no_return_is_undone_by_the_next_call(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    call: str,
    kind: str,
    every: int,
) -> None:
    """V6: nothing can be put back, or seen, any more, but the answer must stay true."""
    old, new, _ = restored
    calls = f"?link,?linkat,?rename,?renameat,?renameat2,{LOOKS['stat']}"
    failed = []

    def check(base: Path, name: str, n: int) -> None:
        done = run_traced(call, base, f"{name}:error=EIO:when={n}+", calls)
        failed.append(done.status != 0)
        expected = new if call == "restore" and done.status == 0 else old
        assert len(list_backups(base)) == 1 + (call == "create" and done.status == 0), (name, n)
        create_backup(base)
        assert database(base) == expected, (name, n, done)
        assert leftovers(base) == []

    undisturbed = run_traced(call, clone(small, "undisturbed too"), None, calls)
    points = undisturbed.points[undisturbed.at(*PUBLISHES[call]) :]
    each([point for point in points if kind in point[0]][::every], clone, small, check)
    assert any(failed) or (call, kind) == ("create", "rename")


@pytest.mark.parametrize(
    "name", ["open", "stat", "fstat", "listdir", "scandir", "rename", "unlink", "rmdir", "utime"]
)
def test_a_cleaning_that_fails_once_leaves_nothing_in_a_folder_that_stays_in_place(
    small: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As a mount point does; the next call alone would come upon what is left there."""
    monkeypatch.setattr(restore, "mount_points", lambda *_: frozenset({"tables"}))
    restore_point_in_time(small, 1000)
    new = database(small)
    real = getattr(os, name)
    place = calls = 0

    def fail_once(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == place:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments, **more)

    def discard_failing(base: int, token: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(os, name, fail_once)
            working_folders.discard(base, token)

    monkeypatch.setattr("reedbase_backup.swap.transaction.discard", discard_failing)
    while calls >= place:
        place, calls = place + 1, 0
        restore_point_in_time(small, 1000)
        assert leftovers(small) == [], place
        assert database(small) == new, place
    assert place > 1


def test_a_prune_that_fails_midway_deletes_nothing(small: Path, run_traced: RunTraced) -> None:
    backups = small / "backups"
    for second in range(1001, 1036):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    old = set(os.listdir(backups))
    assert_failed_cleanly(run_traced("create", small, "rename:error=EIO:when=3"))
    assert set(os.listdir(backups)) == old
