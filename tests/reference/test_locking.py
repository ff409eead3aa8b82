"""One backup or restore at a time, and never half a write of the database's own writers."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import resource
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fixture_types import MakeBase, ReadDatabase, TakeSnapshot

from reedbase_backup import (
    BackupUnsafe,
    IoError,
    LockTimeout,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.archive.writer import ArchiveWriter
from reedbase_backup.disk import base_lock, source, table_lock
from reedbase_backup.types import U64_MAX as FOREVER


@contextmanager
def flocked(path: Path, operation: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a file or folder as another process would."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


@pytest.fixture
def in_background() -> Iterator[Callable[..., threading.Thread]]:
    """Starts a function in a thread whose error fails the test."""
    started: list[tuple[threading.Thread, list[BaseException]]] = []

    def start(function: Callable[..., object], *arguments: object) -> threading.Thread:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                function(*arguments)
            except BaseException as error:
                errors.append(error)
                raise

        thread = threading.Thread(target=run)
        started.append((thread, errors))
        thread.start()
        return thread

    yield start
    for thread, errors in started:
        thread.join(20)
        assert not thread.is_alive()
        assert errors == []


def content(base: Path, member: str) -> bytes:
    """A member of the newest backup."""
    with tarfile.open(base / "backups" / f"{list_backups(base)[0].id}.tar.gz") as opened:
        file = opened.extractfile(member)
        assert file is not None
        return file.read()


# The base's lock -------------------------------------------------------------


def test_backups_started_at_once_by_many_processes_are_all_made(base: Path) -> None:
    code = "import sys; from reedbase_backup import create_backup; create_backup(sys.argv[1])"
    children = [subprocess.Popen([sys.executable, "-c", code, base]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert len({info.id for info in list_backups(base)}) == 4
    assert len(os.listdir(base / "backups")) == 4


@pytest.mark.parametrize("call", [create_backup, lambda base: restore_point_in_time(base, FOREVER)])
def test_a_second_call_waits_for_the_first(
    base: Path, in_background: Callable[..., threading.Thread], call: Callable[[Path], object]
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


# A table's lock ----------------------------------------------------------------


def test_a_backup_waits_for_a_tables_writer_and_holds_all_it_wrote(
    base: Path, in_background: Callable[..., threading.Thread]
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
    chunks = source.SourceFile.chunks

    def watched(file: source.SourceFile) -> Iterator[bytes]:
        if file.name.startswith("tables/text/"):
            for table in ("text", "routes"):
                seen[table] = _is_free(base / "tables" / table / ".lock")
        return chunks(file)

    monkeypatch.setattr(source.SourceFile, "chunks", watched)
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
    base: Path, in_background: Callable[..., threading.Thread], database: ReadDatabase
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


# Tables without a lock --------------------------------------------------------


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
    chunks = source.SourceFile.chunks
    changed: list[object] = []

    def disturbed(file: source.SourceFile) -> Iterator[bytes]:
        due = file.name == "tables/text/current.csv" and not changed
        if due and when == "before":
            changed.append(change(unlocked))
        yield from chunks(file)
        if due and when == "after":
            changed.append(change(unlocked))

    monkeypatch.setattr(source.SourceFile, "chunks", disturbed)
    create_backup(base)
    assert len(changed) == 1
    now = database(base)
    (unlocked / "current.csv").unlink()
    restore_point_in_time(base, FOREVER)
    assert database(base) == now


def test_a_table_that_is_dropped_while_it_is_read_is_left_out(
    base: Path, unlocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = source.SourceFile.chunks

    def dropped(file: source.SourceFile) -> Iterator[bytes]:
        yield from chunks(file)
        if file.name == "tables/text/current.csv":
            unlocked.rename(base / "dropped")

    monkeypatch.setattr(source.SourceFile, "chunks", dropped)
    info = create_backup(base)
    assert info.table_count == 1
    assert list_backups(base) == [info]
    with tarfile.open(base / "backups" / f"{info.id}.tar.gz") as opened:
        assert not [name for name in opened.getnames() if name.startswith("tables/text")]


def test_a_lock_that_a_writer_makes_meanwhile_is_noticed_and_waited_for(
    base: Path,
    unlocked: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_background: Callable[..., threading.Thread],
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
    chunks = source.SourceFile.chunks

    def restless(file: source.SourceFile) -> Iterator[bytes]:
        if file.name.startswith("tables/text"):
            _append(unlocked)
        return chunks(file)

    monkeypatch.setattr(source.SourceFile, "chunks", restless)
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
    status = source._settled(descriptor, "file")
    assert time.time_ns() - status.st_ctime_ns >= source._TICK_NS
    os.close(descriptor)


def test_a_file_that_is_written_without_end_counts_as_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    # However slow this machine is just now.
    monkeypatch.setattr(source, "_TICK_NS", 3600 * 10**9)
    monkeypatch.setattr(time, "sleep", lambda _: path.write_text("more"))
    with pytest.raises(source.SourceChanged):
        source._settled(descriptor, "file")
    os.close(descriptor)


def test_a_table_that_is_a_file_by_now_is_refused_by_name(base: Path) -> None:
    unit = source.Unit(str(base), "tables/text/current.csv")
    with pytest.raises(BackupUnsafe, match=r"tables/text/current\.csv"):
        ArchiveWriter(io.BytesIO()).add(unit)


# Real writers --------------------------------------------------------------------

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
    base: Path, monkeypatch: pytest.MonkeyPatch, in_background: Callable[..., threading.Thread]
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
