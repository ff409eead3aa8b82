"""Never half a write, where a table has no lock yet or its writers take none."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fixture_types import ReadDatabase, TakeSnapshot
from reference.locking.locks import InBackground, content, flocked

from reedbase_backup import (
    BackupUnsafe,
    LockTimeout,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.writer import ArchiveWriter
from reedbase_backup.disk import change_times, source, source_entries, table_lock
from reedbase_backup.types import U64_MAX as FOREVER


@pytest.fixture
def unlocked(base: Path) -> Path:
    """The folder of a table without a `.lock`."""
    (base / "tables" / "text" / ".lock").unlink()
    return base / "tables" / "text"


def _overwrite(table: Path) -> None:
    with (table / "current.csv").open("r+b") as file:
        file.write(b"KEY")


def _append(table: Path) -> None:
    with (table / "current.csv").open("ab") as file:
        file.write(b"one more row\n" * 1000)


def _truncate(table: Path) -> None:
    os.truncate(table / "current.csv", 3)


def _replace(table: Path) -> None:
    (table / "new").write_bytes((table / "current.csv").read_bytes().upper())
    (table / "new").rename(table / "current.csv")


def _delete(table: Path) -> None:
    (table / "version.log").unlink()


def _add(table: Path) -> None:
    (table / "1.bsdiff").write_text("another version")


def _change_mode(table: Path) -> None:
    (table / "current.csv").chmod(0o640)


def _add_below(table: Path) -> None:
    (table / "empty" / "file").touch()


CHANGES = [_overwrite, _append, _truncate, _replace, _delete, _add, _change_mode, _add_below]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_changes_while_it_is_read_is_read_again(
    base: Path,
    unlocked: Path,
    database: ReadDatabase,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], object],
    when: str,
) -> None:
    """The change comes as the reader stands before, or after, one of the files."""
    read = source_entries.read_some
    changed: list[object] = []

    def disturbed(descriptor: int, size: int, name: str) -> bytes:
        due = name == "tables/text/current.csv" and not changed
        if due and when == "before":
            changed.append(change(unlocked))
        part = read(descriptor, size, name)
        if due and when == "after":
            changed.append(change(unlocked))
        return part

    monkeypatch.setattr(source_entries, "read_some", disturbed)
    create_backup(base)
    assert len(changed) == 1
    now = database(base)
    (unlocked / "current.csv").unlink()
    restore_point_in_time(base, FOREVER)
    assert database(base) == now


def test_a_table_that_is_dropped_while_it_is_read_is_left_out(
    base: Path, unlocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = source_entries.read_some

    def dropped(descriptor: int, size: int, name: str) -> bytes:
        part = read(descriptor, size, name)
        if name == "tables/text/current.csv":
            unlocked.rename(base / "dropped")
        return part

    monkeypatch.setattr(source_entries, "read_some", dropped)
    info = create_backup(base)
    assert info.table_count == 1
    assert list_backups(base) == [info]
    with tarfile.open(base / "backups" / f"{info.id}.tar.gz") as opened:
        assert not [name for name in opened.getnames() if name.startswith("tables/text")]


def test_a_lock_that_a_writer_makes_meanwhile_is_noticed_and_waited_for(
    base: Path,
    unlocked: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_background: InBackground,
) -> None:
    """Nothing changes while we read: the writer rests in the middle of its write."""
    table_locked, writing = table_lock.table_locked, threading.Event()

    def write() -> None:
        (unlocked / ".lock").touch()
        with flocked(unlocked / ".lock"):
            (unlocked / "current.csv").write_text("half")
            writing.set()
            time.sleep(0.2)
            (unlocked / "current.csv").write_text("half and half")

    @contextmanager
    def overtaken(folder: int, name: str) -> Iterator[table_lock.TableLock]:
        with table_locked(folder, name) as locked:
            if name == "tables/text" and not writing.is_set():
                assert not locked.has_file
                in_background(write)
                assert writing.wait(5)
            yield locked

    monkeypatch.setattr(source, "table_locked", overtaken)
    create_backup(base)
    assert content(base, "tables/text/current.csv") == b"half and half"


def test_a_table_that_never_rests_is_an_error_that_names_it(
    base: Path, unlocked: Path, monkeypatch: pytest.MonkeyPatch, snapshot: TakeSnapshot
) -> None:
    read = source_entries.read_some

    def restless(descriptor: int, size: int, name: str) -> bytes:
        if name.startswith("tables/text"):
            _append(unlocked)
        return read(descriptor, size, name)

    monkeypatch.setattr(source_entries, "read_some", restless)
    monkeypatch.setattr(source, "TABLE_TIMEOUT_SECS", 0)
    with pytest.raises(LockTimeout) as caught:
        create_backup(base)
    assert caught.value.fields == {"table": "tables/text", "timeout_secs": 0}
    assert not (base / "backups").exists()


def test_a_file_written_just_now_is_read_only_once_its_time_can_tell(tmp_path: Path) -> None:
    """Else a second write in the same tick of the file system's clock would not show."""
    path = tmp_path / "file"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    status = source_entries.settled(descriptor, "file")
    assert time.time_ns() - status.st_ctime_ns >= change_times.TICK_NS
    os.close(descriptor)


def test_a_file_that_is_written_without_end_counts_as_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    # However slow this machine is just now.
    monkeypatch.setattr(source_entries, "TICK_NS", 3600 * 10**9)
    monkeypatch.setattr(time, "sleep", lambda _: path.write_text("more"))
    with pytest.raises(source_entries.SourceChanged):
        source_entries.settled(descriptor, "file")
    os.close(descriptor)


def test_a_table_that_is_a_file_by_now_is_refused_by_name(base: Path) -> None:
    unit = source.Unit(str(base), "tables/text/current.csv")
    with pytest.raises(BackupUnsafe, match=r"tables/text/current\.csv"):
        ArchiveWriter(io.BytesIO(), Origin(0, 0, 0, 0, 0)).add(unit)


_WRITER = """
import fcntl, itertools, os, sys
folder = sys.argv[1]
for n in itertools.count():
    lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for name in ("current.csv", "version.log"):
        # In place and in pieces, as the baseline writes (contract `last`, "On disk").
        with open(os.path.join(folder, name), "wb", buffering=0) as file:
            for _ in range(20):
                file.write(b"%09d\\n" % n)
    os.close(lock)
    if n == 3:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("has_lock", [True, False])
def test_a_hot_backup_never_holds_half_a_write(base: Path, has_lock: bool) -> None:
    table = base / "tables" / "text"
    if not has_lock:
        (table / ".lock").unlink()
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, table], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen = set()
        for _ in range(12):
            create_backup(base)
            rows = content(base, "tables/text/current.csv")
            assert rows == content(base, "tables/text/version.log")
            assert rows == rows[:10] * 20
            seen.add(rows[:10])
        assert len(seen) > 1
    finally:
        writer.kill()
        writer.communicate()


def test_restores_and_backups_beside_a_writer_never_mix_states(base: Path) -> None:
    table = base / "tables" / "text"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, table], stdout=subprocess.PIPE)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        for _ in range(5):
            create_backup(base)
            restore_point_in_time(base, FOREVER)
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    restore_point_in_time(base, FOREVER)
    rows = (table / "current.csv").read_bytes()
    assert rows == (table / "version.log").read_bytes() == rows[:10] * 20
