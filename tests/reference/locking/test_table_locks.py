"""Never half a write of the database's own writers, where they lock their tables."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import MakeBase, ReadDatabase, TakeSnapshot
from reference.locking.locks import InBackground, content, flocked

from reedbase_backup import (
    LockTimeout,
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.disk import source_entries, table_lock
from reedbase_backup.types import U64_MAX as FOREVER


def test_a_backup_waits_for_a_tables_writer_and_holds_all_it_wrote(
    base: Path, in_background: InBackground
) -> None:
    table = base / "tables" / "text"
    with flocked(table / ".lock"):
        (table / "current.csv").write_text("half")
        thread = in_background(create_backup, base)
        thread.join(0.1)
        assert thread.is_alive()
        (table / "current.csv").write_text("half and half")
    thread.join(5)
    assert content(base, "tables/text/current.csv") == b"half and half"


def test_a_backup_keeps_writers_out_of_the_table_it_reads(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of that table only: writers of others go on."""
    seen = {}
    read = source_entries.read_some

    def watched(descriptor: int, size: int, name: str) -> bytes:
        if name.startswith("tables/text/"):
            for table in ("text", "routes"):
                seen[table] = _is_free(base / "tables" / table / ".lock")
        return read(descriptor, size, name)

    monkeypatch.setattr(source_entries, "read_some", watched)
    create_backup(base)
    assert seen == {"text": False, "routes": True}


def _is_free(lock: Path) -> bool:
    try:
        with flocked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
    except BlockingIOError:
        return False


def test_a_reader_of_a_table_does_not_stop_a_backup(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_lock, "TABLE_TIMEOUT_SECS", 0)
    with flocked(base / "tables" / "text" / ".lock", fcntl.LOCK_SH):
        assert create_backup(base).table_count == 2


@pytest.mark.parametrize("call", [create_backup, lambda base: restore_point_in_time(base, FOREVER)])
def test_a_table_that_stays_locked_is_an_error_that_names_it_and_nothing_changes(
    base: Path,
    snapshot: TakeSnapshot,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Path], object],
) -> None:
    create_backup(base)
    monkeypatch.setattr(table_lock, "TABLE_TIMEOUT_SECS", 0)
    before, names = snapshot(base), os.listdir(base)
    with flocked(base / "tables" / "text" / ".lock"), pytest.raises(LockTimeout) as caught:
        call(base)
    assert caught.value.fields == {"table": "tables/text", "timeout_secs": 0}
    after = snapshot(base)
    # A failed create leaves the time of backups/, in which it worked.
    del before["backups"], after["backups"]
    assert (after, os.listdir(base)) == (before, names)


def test_a_restore_waits_for_a_tables_writer(
    base: Path, in_background: InBackground, database: ReadDatabase
) -> None:
    before = database(base)
    create_backup(base)
    table = base / "tables" / "text"
    with flocked(table / ".lock"):
        thread = in_background(restore_point_in_time, base, FOREVER)
        thread.join(0.1)
        assert thread.is_alive()
        (table / "current.csv").write_text("still the live tree")
        assert (table / "current.csv").read_text() == "still the live tree"
    thread.join(5)
    assert database(base) == before


def test_a_writer_that_waits_through_a_restore_gets_the_lock_that_all_others_take(
    base: Path, database: ReadDatabase
) -> None:
    """And the restored tree is as it was backed up, the lock's mode and time included."""
    before = database(base)
    create_backup(base)
    lock = base / "tables" / "text" / ".lock"
    os.utime(lock, (1, 1))
    waiting = os.open(lock, os.O_RDONLY)

    restore_point_in_time(base, FOREVER)

    assert os.path.samestat(os.fstat(waiting), lock.stat())
    os.close(waiting)
    assert database(base) == before


@pytest.mark.parametrize("change", [lambda lock: lock.write_text("x"), lambda lock: lock.chmod(0)])
def test_a_lock_that_is_not_as_backed_up_is_replaced(
    base: Path, database: ReadDatabase, change: Callable[[Path], object]
) -> None:
    before = database(base)
    create_backup(base)
    change(base / "tables" / "text" / ".lock")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


_RESTORE_WITH_FEW_DESCRIPTORS = """
import resource, sys
from reedbase_backup import ReedError, restore_point_in_time
resource.setrlimit(resource.RLIMIT_NOFILE, (40, int(sys.argv[2])))
try:
    print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)
except ReedError as error:
    print(error)
"""


def _restore_with_few_descriptors(base: Path, hard_limit: int) -> str:
    code = _RESTORE_WITH_FEW_DESCRIPTORS
    command = [sys.executable, "-c", code, str(base), str(hard_limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
def test_a_restore_with_few_open_files_waits_for_every_tables_writer(
    make_base: MakeBase, database: ReadDatabase
) -> None:
    base = make_base(*(f"t{n:03}" for n in range(60)))
    create_backup(base)
    (base / "tables" / "t059" / "current.csv").write_text("changed")
    before = database(base)
    with flocked(base / "tables" / "t059" / ".lock"):
        assert "Lock on 'tables/t059' not free" in _restore_with_few_descriptors(base, 40)
    assert database(base) == before


def test_a_restore_takes_as_many_descriptors_as_it_may(make_base: MakeBase) -> None:
    base = make_base(*(f"t{n:03}" for n in range(60)))
    create_backup(base)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert _restore_with_few_descriptors(base, hard) == "60\n"
