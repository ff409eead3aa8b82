"""Restores where the system sets limits: open files, room, and what a file system cannot do."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fixture_types import MakeBase, ReadDatabase
from reference.faults.traced import leftovers

from reedbase_backup import (
    BackupUnsafe,
    IoError,
    NoTablesFound,
    PermissionDenied,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.swap import extract
from reedbase_backup.types import U64_MAX as FOREVER

pytestmark = pytest.mark.slow

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
from reedbase_backup import ReedError, create_backup, restore_point_in_time
try:
    print(create_backup(sys.argv[1]).table_count)
    print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)
except ReedError as error:
    print(error)
"""


def limited(base: Path, limit: int) -> str:
    command = [sys.executable, "-c", LIMITED, str(base), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    return done.stdout


def small_tables(base: Path, count: int) -> None:
    for n in range(count):
        table = base / "tables" / f"t{n:04}"
        table.mkdir()
        (table / ".lock").touch()


def test_more_tables_than_open_files_allowed_are_restored(
    make_base: MakeBase, database: ReadDatabase
) -> None:
    base = make_base()
    small_tables(base, 150)
    before = database(base)
    assert limited(base, 60) == "150\n150\n"
    assert database(base) == before


@pytest.mark.campaign
def test_1100_tables_are_restored_with_1024_open_files(make_base: MakeBase) -> None:
    base = make_base()
    small_tables(base, 1100)
    assert limited(base, 1024) == "1100\n1100\n"


@pytest.mark.parametrize("locked", [0, 149])
def test_every_one_of_them_keeps_its_writer_out(
    make_base: MakeBase, locked: int, database: ReadDatabase
) -> None:
    base = make_base()
    small_tables(base, 150)
    create_backup(base)
    before = database(base)
    lock = base / "tables" / f"t{locked:04}" / ".lock"
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"held\n"
        code = (
            "from reedbase_backup.disk import table_lock; table_lock.TABLE_TIMEOUT_SECS = 1\n"
            + RESTORE_LIMITED
        )
        command = [sys.executable, "-c", code, str(base)]
        # The children have a patience of their own, which is the documented one.
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        writer.stdin.close()
    assert f"tables/t{locked:04}" in done.stdout, done
    assert "not free after" in done.stdout
    assert database(base) == before
    assert leftovers(base) == []


HOLD = """
import fcntl, sys
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

RESTORE_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
from reedbase_backup import ReedError, restore_point_in_time
try:
    print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)
except ReedError as error:
    print(error)
"""


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_folders_that_cannot_be_synced_keep_no_backup_from_being_made(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As on CIFS; files can always be."""
    fsync, refused = os.fsync, []

    def refuse(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            refused.append(descriptor)
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    before = database(base)
    monkeypatch.setattr(os, "fsync", refuse)
    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("changed")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert len(refused) > 5


@pytest.mark.parametrize("call", [create_backup, lambda base: restore_point_in_time(base, FOREVER)])
@pytest.mark.parametrize(
    ("number", "what"), [(errno.EIO, os.path.isdir), (errno.EINVAL, os.path.isfile)]
)
def test_a_sync_that_fails_is_an_error_that_names_a_path(
    base: Path,
    database: ReadDatabase,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Path], object],
    number: int,
    what: Callable[[str], bool],
) -> None:
    def refuse(descriptor: int) -> None:
        if what(f"/proc/self/fd/{descriptor}"):
            raise OSError(number, os.strerror(number))

    create_backup(base)
    before = database(base)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(IoError, match=r"': [^:]+: \w"):
        call(base)
    assert database(base) == before
    assert len(list_backups(base)) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_gets_full_is_no_reason_to_distrust_the_archive(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("to be written again")
    before = database(base)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(IoError, match=r"tables/\S+: .* make room"):
        restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert leftovers(base) == []


def test_too_little_room_is_an_error_before_the_disk_is_full(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup(base)
    before = database(base)
    monkeypatch.setattr(extract, "_free_bytes", lambda _: 100)
    with pytest.raises(IoError, match=r"it takes \d+ bytes where \d+ are free; make room"):
        restore_point_in_time(base, FOREVER)
    assert database(base) == before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EIO])
def test_a_time_that_cannot_be_set_is_an_error_and_nothing_changes(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """V7: at each place where one is set, in turn; or success after another try."""
    new = database(base)
    create_backup(base)
    utime = os.utime
    place = calls = 0

    def refuse(*arguments: Any, **more: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == place:
            raise OSError(number, os.strerror(number))
        utime(*arguments, **more)

    failed = 0
    while calls >= place:
        (base / "tables" / "text" / "current.csv").write_text("changed")
        utime(base / "tables" / "text" / ".lock", (1, 1))
        before = database(base)
        place, calls, expected = place + 1, 0, before
        with monkeypatch.context() as patched, suppress(IoError, PermissionDenied):
            patched.setattr(os, "utime", refuse)
            restore_point_in_time(base, FOREVER)
            expected = new
        assert database(base) == expected, place
        failed += expected == before
    assert failed >= place - 2 > 8


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.mark.parametrize("root", ["tables", "indices"])
@pytest.mark.parametrize(
    "plant",
    [os.mkfifo, _socket, lambda path: path.symlink_to("nowhere")],
    ids=["fifo", "socket", "symlink"],
)
def test_what_is_no_folder_in_place_of_a_root_is_named(
    base: Path, plant: Callable[[Path], object], root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (base / root).rename(base / "moved")
    monkeypatch.chdir(base)
    plant(base / root)
    with pytest.raises(BackupUnsafe) as caught:
        create_backup(base)
    assert caught.value.path == root
    assert not (base / "backups").exists()


def test_a_file_in_place_of_tables_means_no_tables(base: Path) -> None:
    (base / "tables").rename(base / "moved")
    (base / "tables").touch()
    with pytest.raises(NoTablesFound):
        create_backup(base)
