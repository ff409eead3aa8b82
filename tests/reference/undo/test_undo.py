"""What an undoable restore replaces comes back exactly, once; and nobody else is in its way."""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, ReadDatabase, RunAsNobody, TakeSnapshot
from reference.undo.kept import kept, working_folders

from reedbase_backup import IoError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.doctor.examination import examine
from reedbase_backup.undo import replaced, restore_undoably, undo_restore


def test_it_comes_back_exactly_and_nothing_is_left(
    damaged: Path, database: ReadDatabase, snapshot: TakeSnapshot
) -> None:
    before, others = database(damaged), snapshot(damaged, "registry", "backups")
    report = restore_undoably(damaged, 1000)
    restored = database(damaged)
    assert report.tables_restored == 2
    assert restored != before
    (damaged / "tables" / "made since").mkdir()
    (damaged / "tables" / "text" / "version.log").write_text("written since")
    undone = undo_restore(damaged)
    assert database(damaged) == before
    assert (damaged / "tables" / "new" / "second name").samefile(
        damaged / "tables" / "text" / "current.csv"
    )
    assert undone.tables_restored == 2
    assert undone.total_bytes == sum(
        path.lstat().st_size
        for root in ("tables", "indices")
        for path in (damaged / root).rglob("*")
        if path.is_file()
    )
    assert snapshot(damaged, "registry", "backups") == others
    assert working_folders(damaged) == []


def test_it_comes_back_once(damaged: Path, database: ReadDatabase) -> None:
    restore_undoably(damaged, 1000)
    undo_restore(damaged)
    before = database(damaged)
    with pytest.raises(IoError) as error:
        undo_restore(damaged)
    assert error.value.operation == "find_undo"
    assert database(damaged) == before


@pytest.mark.parametrize("changed", ["before", "since"])
def test_indices_that_only_one_of_the_trees_has_come_and_go(
    base: Path, backup_at: BackupAt, database: ReadDatabase, changed: str
) -> None:
    def other() -> None:
        """Remove it, or make it where there is none."""
        if (base / "indices").exists():
            shutil.rmtree(base / "indices")
        else:
            (base / "indices").mkdir()
            (base / "indices" / "some").touch()

    for _ in range(2):
        backup_at(base, 1000)
        if changed == "before":
            other()
        before = database(base)
        restore_undoably(base, 1000)
        if changed == "since":
            other()
        undo_restore(base)
        assert database(base) == before
        shutil.rmtree(base / "backups")
        other()


def test_no_tables_at_all_come_back_as_none(
    base: Path, backup_at: BackupAt, database: ReadDatabase
) -> None:
    backup_at(base, 1000)
    shutil.rmtree(base / "tables")
    before = database(base)
    restore_undoably(base, 1000)
    undo_restore(base)
    assert database(base) == before
    assert working_folders(base) == []


CLOSING = """
import os
def close(base, mode):
    for place in ("tables", "tables/text", "indices"):
        os.chmod(f"{base}/{place}", 0o755)
    for place in ("tables/text", "tables", "indices"):
        os.chmod(f"{base}/{place}", mode)
"""
KEPT = """
from reedbase_backup.undo import restore_undoably
restore_undoably(sys.argv[1], 2**63)
"""
UNDONE = """
from reedbase_backup.undo import undo_restore
undo_restore(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("closed", "mode"),
    [
        ("live", 0o555),
        ("backed up", 0o555),
        ("since", 0o555),
        ("live", 0o000),
        ("backed up", 0o000),
    ],
)
def test_folders_that_are_closed_come_back_as_they_were_for_any_user(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase, closed: str, mode: int
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can back up folders of any mode")
    modes = {when: mode if when == closed else 0o755 for when in ("backed up", "live", "since")}
    own: dict[str, Callable[[Path, int], None]] = {}
    exec(CLOSING, own)
    own["close"](base, modes["backed up"])
    create_backup(base)
    own["close"](base, modes["live"])
    before = database(base)
    done = as_nobody(f"{CLOSING}{KEPT}close(sys.argv[1], {modes['since']}){UNDONE}", base)
    assert done.stderr == ""
    assert database(base) == before
    assert working_folders(base) == []


def test_what_this_user_may_not_look_into_is_left_as_it_is(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can look into folders of any mode")
    create_backup(base)
    before = database(base)
    restore_undoably(base, 2**63)
    (base / "tables").chmod(0o000)
    restored = database(base)
    done = as_nobody(UNDONE, base)
    assert "PermissionDenied: Permission denied: tables" in done.stderr
    assert database(base) == restored
    undo_restore(base)
    assert database(base) == before


def test_who_waits_for_a_lock_while_it_comes_back_gets_the_one_that_all_take(
    damaged: Path, database: ReadDatabase
) -> None:
    before = database(damaged)
    restore_undoably(damaged, 1000)
    lock = damaged / "tables" / "text" / ".lock"
    # As a writer may that finds none.
    lock.unlink()
    lock.touch(mode=0o644)
    with lock.open("a") as live:
        undo_restore(damaged)
        assert os.path.samestat(os.fstat(live.fileno()), lock.stat())
    assert database(damaged) == before


def test_what_becomes_of_a_lock_file_since_is_not_what_comes_back(
    base: Path, backup_at: BackupAt, database: ReadDatabase
) -> None:
    """Both trees have the same one, for who waits for it."""
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("changed since")
    before = database(base)
    restore_undoably(base, 1000)
    lock = base / "tables" / "text" / ".lock"
    lock.chmod(0o600)
    os.utime(lock, (7, 7))
    undo_restore(base)
    assert database(base) == before


def test_it_waits_for_writers(damaged: Path, database: ReadDatabase) -> None:
    before = database(damaged)
    restore_undoably(damaged, 1000)
    undoing = threading.Thread(target=undo_restore, args=(damaged,))
    with (damaged / "tables" / "text" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        undoing.start()
        undoing.join(0.3)
        assert undoing.is_alive()
        (damaged / "tables" / "text" / "current.csv").write_text("the writer goes on")
    undoing.join(30)
    assert database(damaged) == before


def plain_restore(base: Path) -> object:
    return restore_point_in_time(base, 1000)


@pytest.mark.parametrize("call", [create_backup, list_backups, examine, plain_restore])
def test_no_other_call_takes_it_for_debris(
    damaged: Path, database: ReadDatabase, call: Callable[[Path], object]
) -> None:
    before = database(damaged)
    restore_undoably(damaged, 1000)
    call(damaged)
    kept(damaged)
    undo_restore(damaged)
    assert database(damaged) == before


def test_no_backup_holds_it(damaged: Path) -> None:
    restore_undoably(damaged, 1000)
    info = create_backup(damaged)
    with tarfile.open(damaged / "backups" / f"{info.id}.tar.gz") as archive:
        names = archive.getnames()
    assert "tables/text/current.csv" in names
    assert not [name for name in names if "undo" in name or "second name" in name]


def test_the_next_undoable_restore_keeps_another_in_its_place(
    damaged: Path, database: ReadDatabase
) -> None:
    restore_undoably(damaged, 1000)
    first = kept(damaged)
    (damaged / "tables" / "text" / "current.csv").write_text("changed again")
    before = database(damaged)
    restore_undoably(damaged, 1000)
    assert kept(damaged) != first
    undo_restore(damaged)
    assert database(damaged) == before


def test_without_the_option_nothing_is_kept(damaged: Path) -> None:
    plain_restore(damaged)
    assert working_folders(damaged) == []


def test_the_doctor_says_what_is_kept_how_large_it_is_and_what_to_type(damaged: Path) -> None:
    size = sum(
        path.lstat().st_size
        for root in ("tables", "indices")
        for path in (damaged / root).rglob("*")
        if path.is_file()
    )
    restore_undoably(damaged, 1000)
    [finding] = [one for one in examine(damaged) if one.code == "restore-undoable"]
    assert not finding.is_problem
    assert finding.path == kept(damaged).name
    assert f" {size} bytes" in finding.what
    assert f"reedbackup restore {damaged} --undo" in finding.advice
    assert f"rm -r {kept(damaged)}" in finding.advice


def test_removed_by_hand_it_is_nothing_that_is_kept(damaged: Path, database: ReadDatabase) -> None:
    restore_undoably(damaged, 1000)
    before = database(damaged)
    shutil.rmtree(kept(damaged))
    assert replaced(damaged) is None
    create_backup(damaged)
    assert database(damaged) == before
