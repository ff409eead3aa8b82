"""Where all is live as it was backed up, a restore leaves it, and nothing else passes for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import ReadDatabase
from reference.faults.traced import leftovers
from reference.restore.live import (
    Change,
    before_the_last_look,
    files,
    later_by_a_nanosecond,
    rewrite,
)

from reedbase_backup import IoError, create_backup, restore, restore_point_in_time
from reedbase_backup.swap.in_place import is_in_place
from reedbase_backup.types import U64_MAX as FOREVER
from reedbase_backup.undo import restore_undoably, undo_restore

CURRENT = Path("tables", "text", "current.csv")
METADATA = Path("indices", "metadata.json")
Status = tuple[int, ...]


def statuses(base: Path) -> dict[str, Status]:
    """All that changes when an entry of the live trees does, or is replaced."""
    found: dict[str, Status] = {}
    for root in ("tables", "indices"):
        for path in (base / root, *(base / root).rglob("*")):
            it = path.lstat()
            facts = it.st_ino, it.st_mode, it.st_nlink, it.st_mtime_ns, it.st_ctime_ns
            found[str(path.relative_to(base))] = facts
    return found


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a restore found all in place, each time that it looked."""
    seen: list[bool] = []

    def look(*arguments: object) -> bool:
        seen.append(is_in_place(*arguments))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(restore, "is_in_place", look)
    return seen


def test_nothing_is_touched(base: Path, database: ReadDatabase, outcomes: list[bool]) -> None:
    before = database(base)
    create_backup(base)
    live = statuses(base)
    report = restore_point_in_time(base, FOREVER)
    assert outcomes == [True]
    assert statuses(base) == live
    assert database(base) == before
    assert leftovers(base) == []
    assert report.tables_restored == 2
    assert report.total_bytes == sum(path.stat().st_size for path in files(base))


def _with_its_time(path: Path, act: Callable[[], object]) -> None:
    """Do something in a folder whose time then tells nothing of it."""
    entry = path.stat()
    act()
    os.utime(path, ns=(entry.st_atime_ns, entry.st_mtime_ns))


DIFFERENCES: dict[str, Change] = {
    "a file's content": lambda base: rewrite(base / CURRENT),
    "an index's content": lambda base: rewrite(base / METADATA),
    "a file's mode": lambda base: (base / CURRENT).chmod(0o640),
    "an index's mode": lambda base: (base / METADATA).chmod(0o600),
    "an index's time": lambda base: later_by_a_nanosecond(base / METADATA),
    "a folder's mode": lambda base: (base / "tables" / "text").chmod(0o700),
    "a folder's time": lambda base: later_by_a_nanosecond(base / "tables" / "text"),
    "the root's mode": lambda base: (base / "indices").chmod(0o700),
    "a file more": lambda base: _with_its_time(
        base / "tables" / "text", (base / "tables" / "text" / "more").touch
    ),
    "a folder more": lambda base: _with_its_time(base / "tables", (base / "tables" / "more").mkdir),
    "an index more": lambda base: _with_its_time(base / "indices", (base / "indices/more").touch),
    "a symlink more": lambda base: _with_its_time(
        base / "indices", lambda: (base / "indices" / "more").symlink_to("metadata.json")
    ),
    "a file less": lambda base: _with_its_time(base / "tables" / "text", (base / CURRENT).unlink),
    "an index less": lambda base: _with_its_time(base / "indices", (base / METADATA).unlink),
    "another name of a file": lambda base: os.link(base / CURRENT, base / "another"),
    "another name of an index": lambda base: os.link(base / METADATA, base / "another"),
}


@pytest.mark.parametrize("differ", DIFFERENCES.values(), ids=DIFFERENCES)
def test_with_any_difference_it_is_not_in_place(
    base: Path, database: ReadDatabase, outcomes: list[bool], differ: Change
) -> None:
    before = database(base)
    create_backup(base)
    differ(base)
    live = statuses(base)
    restore_point_in_time(base, FOREVER)
    assert not any(outcomes)
    assert database(base) == before
    assert statuses(base) != live


def test_indices_that_were_made_since_go(
    base: Path, database: ReadDatabase, outcomes: list[bool]
) -> None:
    kept = (base / METADATA).read_bytes()
    for path in files(base):
        if "indices" in path.parts:
            path.unlink()
    (base / "indices").rmdir()
    before = database(base)
    create_backup(base)
    (base / "indices").mkdir()
    (base / METADATA).write_bytes(kept)
    restore_point_in_time(base, FOREVER)
    assert outcomes == [False]
    assert database(base) == before


def test_what_changes_after_it_was_read_is_not_in_place(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, outcomes: list[bool]
) -> None:
    """By somebody who heeds no lock, and in all but ctime unseen."""
    before = database(base)
    create_backup(base)
    with before_the_last_look(monkeypatch, lambda: rewrite(base / CURRENT)):
        restore_point_in_time(base, FOREVER)
    assert outcomes == [False]
    assert database(base) == before


def test_where_it_cannot_be_synced_that_is_an_error(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(base)
    create_backup(base)

    def fail(descriptor: int) -> None:
        raise OSError(5, os.strerror(5))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(IoError, match="os error 5"):
            restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert leftovers(base) == []


def test_a_restore_that_is_to_be_undone_keeps_what_there_was(
    base: Path, database: ReadDatabase, outcomes: list[bool]
) -> None:
    """Where there is no file to tell, too."""
    for path in files(base):
        path.unlink()
    before = database(base)
    create_backup(base)
    restore_undoably(base, FOREVER)
    assert outcomes == [False]
    undo_restore(base)
    assert database(base) == before
