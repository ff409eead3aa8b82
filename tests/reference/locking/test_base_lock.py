"""One backup or restore at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import TakeSnapshot
from reference.locking.locks import InBackground, flocked

from reedbase_backup import (
    BackupUnsafe,
    LockTimeout,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.disk import base_lock
from reedbase_backup.types import U64_MAX as FOREVER


def test_backups_started_at_once_by_many_processes_are_all_made(base: Path) -> None:
    code = "import sys; from reedbase_backup import create_backup; create_backup(sys.argv[1])"
    children = [subprocess.Popen([sys.executable, "-c", code, base]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert len({info.id for info in list_backups(base)}) == 4
    assert len(os.listdir(base / "backups")) == 4


@pytest.mark.parametrize("call", [create_backup, lambda base: restore_point_in_time(base, FOREVER)])
def test_a_second_call_waits_for_the_first(
    base: Path, in_background: InBackground, call: Callable[[Path], object]
) -> None:
    create_backup(base)
    with flocked(base):
        thread = in_background(call, base)
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("call", [create_backup, lambda base: restore_point_in_time(base, FOREVER)])
def test_a_base_that_stays_locked_is_an_error_and_nothing_changes(
    base: Path,
    snapshot: TakeSnapshot,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Path], object],
) -> None:
    create_backup(base)
    monkeypatch.setattr(base_lock, "BASE_TIMEOUT_SECS", 0)
    before = snapshot(base)
    with flocked(base), pytest.raises(LockTimeout, match="try again later") as caught:
        call(base)
    assert caught.value.fields == {"table": str(base), "timeout_secs": 0}
    assert snapshot(base) == before


def test_listing_does_not_wait_for_anybody(base: Path) -> None:
    info = create_backup(base)
    with flocked(base), flocked(base / "tables" / "text" / ".lock"):
        assert list_backups(base) == [info]


def test_an_error_frees_the_locks_while_it_is_still_being_handled(base: Path) -> None:
    odd = base / "tables" / "text" / "odd"
    odd.symlink_to("nowhere")
    with pytest.raises(BackupUnsafe) as kept:
        create_backup(base)
    odd.unlink()
    with flocked(base / "tables" / "text" / ".lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
        pass
    assert create_backup(base).table_count == 2
    assert kept.value.path == "tables/text/odd"
