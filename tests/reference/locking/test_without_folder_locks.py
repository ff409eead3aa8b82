"""File systems that lock no folders, or nothing at all."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import ReadDatabase
from reference.locking.locks import InBackground

from reedbase_backup import (
    IoError,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.disk import base_lock
from reedbase_backup.types import U64_MAX as FOREVER


def _refuse_flock(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)


NO_FLOCK = [errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS]


@pytest.mark.skipif(sys.platform != "linux", reason="the other kind of lock is Linux's")
@pytest.mark.parametrize("number", NO_FLOCK)
def test_a_file_system_without_flock_keeps_backups_and_leaves_no_lock_file(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before, names = database(base), {*os.listdir(base), "backups"}
    _refuse_flock(monkeypatch, number)
    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("changed")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert set(os.listdir(base)) == names


@pytest.mark.skipif(sys.platform != "linux", reason="the other kind of lock is Linux's")
def test_where_folders_cannot_be_locked_one_call_still_waits_for_another(
    base: Path, monkeypatch: pytest.MonkeyPatch, in_background: InBackground
) -> None:
    """As on NFS, where flock wants a descriptor that is open for writing."""
    flock_it = fcntl.flock

    def refuse_folders(descriptor: int, operation: int) -> None:
        if os.path.isdir(descriptor):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock_it(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", refuse_folders)
    with base_lock.base_locked(str(base)):
        # Whoever may write to the base may lock it.
        assert (base / ".reedbackup-lock").stat().st_mode & 0o777 == 0o644
        thread = in_background(create_backup, base)
        thread.join(0.1)
        assert thread.is_alive()
    thread.join(5)
    assert len(list_backups(base)) == 1
    assert not (base / ".reedbackup-lock").exists()


@pytest.mark.parametrize("plant", [os.mkfifo, os.mkdir, lambda path: os.symlink("x", path)])
def test_what_is_planted_as_a_lock_file_is_named_and_never_written_to(
    base: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], object]
) -> None:
    plant(base / ".reedbackup-lock")
    _refuse_flock(monkeypatch, errno.EBADF)
    with pytest.raises(IoError, match=r"\.reed/\.reedbackup-lock"):
        create_backup(base)
    assert not (base / "x").exists()


def test_a_lock_file_that_a_kill_has_left_goes_where_folders_can_be_locked(base: Path) -> None:
    (base / ".reedbackup-lock").touch()
    create_backup(base)
    assert not (base / ".reedbackup-lock").exists()


def test_a_base_that_cannot_be_locked_at_all_is_an_error_that_names_it(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    _refuse_flock(monkeypatch, errno.ENOLCK)
    with pytest.raises(IoError, match=f"{base}: No locks available") as caught:
        create_backup(base)
    assert caught.value.operation == "lock_base"
    assert not (base / "backups").exists()


def test_a_lock_that_fails_otherwise_is_an_error(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refuse_flock(monkeypatch, errno.EIO)
    with pytest.raises(IoError, match=f"{base}: Input/output error"):
        create_backup(base)
