"""A write that fails or dies at any point leaves all of the old version or all of the new one."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from reedbase_backup.errors import IoError, TableAlreadyExists
from reedbase_backup.last import Table

OLD = b"key|value\n" + b"a|1\n" * 50
NEW = OLD.replace(b"1", b"2")
NEXT = b"key|value\n"

CALLS = ("open", "fsync", "replace", "unlink", "fchmod")

# In copies of a base, has processes do one call on a table, each killed before
# its n-th system call, until one lives. Prints how each ended.
KILLER = f"""
import os, shutil, signal, sys
from itertools import count
from reedbase_backup.last import Table
base, copies, method = sys.argv[1:]
def run(base, limit):
    done = count(1)
    def dying(call):
        def wrapper(*args, **kwargs):
            if next(done) == limit:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)
        return wrapper
    for name in {CALLS}:
        setattr(os, name, dying(getattr(os, name)))
    getattr(Table(base, "text"), method)({NEW!r}, "admin")
for limit in count(1):
    copy = shutil.copytree(base, os.path.join(copies, str(limit)))
    process = os.fork()
    if process == 0:
        run(copy, limit)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    print(status, flush=True)
    if status != -signal.SIGKILL:
        break
"""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path / "base", "text")
    made.init(b"key|value\n", "admin")
    made.write(OLD, "admin")
    return made


def killed_at_every_call(base: Path, copies: Path, method: str) -> list[Table]:
    """The table in one copy of `base` a system call that `method` makes, killed before it."""
    copies.mkdir()
    command = [sys.executable, "-c", KILLER, str(base), str(copies), method]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    *killed, lived = map(int, done.stdout.split())
    assert lived == 0, done.stderr
    assert len(killed) > 10
    return [Table(copies / str(limit), "text") for limit in range(1, len(killed) + 1)]


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, limit: int, *, for_good: bool = False
) -> Iterator[list[str]]:
    """The `limit`-th of the operating system's calls, or all from it on, report a full disk."""
    made: list[str] = []

    def wrapped(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            made.append(name)
            if len(made) == limit or (for_good and len(made) > limit):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*args, **kwargs)

        return wrapper

    with monkeypatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, wrapped(name, getattr(os, name)))
        yield made


def assert_next_write_is_sound(table: Table, versions: list[bytes]) -> None:
    """`versions`: what the history must be once the next write is done."""
    last = table.rollback(table.log()[0].timestamp, "admin")
    stamps = [line.timestamp for line in table.log()]
    assert [table.rebuild(stamp) for stamp in stamps] == [*versions, NEXT]
    assert stamps[-1] == last
    assert table.read() == NEXT
    assert [path.name for path in table.folder.glob("*.tmp")] == []


def test_a_write_killed_before_any_call_is_undone_or_finished(table: Table, tmp_path: Path) -> None:
    outcomes = set()
    for copy in killed_at_every_call(table.base_path, tmp_path / "copies", "write"):
        logged = len(copy.log()) == 3
        current = copy.read()
        assert current in (OLD, NEW)
        assert current == OLD or logged
        outcomes.add((logged, current == NEW))
        assert_next_write_is_sound(copy, [NEXT, OLD, NEW] if logged else [NEXT, OLD])
    # The one between is where the next writer has to finish the work.
    assert outcomes == {(False, False), (True, False), (True, True)}


def test_a_disk_that_is_full_at_any_one_call_leaves_the_table_as_it_was(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, 0) as calls:
        Table(shutil.copytree(table.base_path, tmp_path / "count"), "text").write(NEW, "admin")
    total = len(calls)
    assert total > 10
    for limit in range(1, total + 1):
        base = shutil.copytree(table.base_path, tmp_path / str(limit))
        copy = Table(base, "text")
        before = {path.name: path.read_bytes() for path in copy.folder.iterdir()}
        with failing(monkeypatch, limit), pytest.raises(IoError, match="No space left"):
            copy.write(NEW, "admin")
        after = {path.name: path.read_bytes() for path in copy.folder.iterdir()}
        assert after == before, f"call {limit}: {calls[limit - 1]}"
        assert_next_write_is_sound(copy, [NEXT, OLD])


def test_a_disk_that_stays_full_from_any_call_on_leaves_the_table_or_lets_a_write_finish_later(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = []
    for limit in count(1):
        copy = Table(shutil.copytree(table.base_path, tmp_path / str(limit)), "text")
        with failing(monkeypatch, limit, for_good=True) as calls, suppress(IoError):
            copy.write(NEW, "admin")
        if len(calls) < limit:
            break
        logged = len(copy.log()) == 3
        finished.append(logged)
        assert_next_write_is_sound(copy, [NEXT, OLD, NEW] if logged else [NEXT, OLD])
    assert set(finished) == {False, True}


def test_what_a_killed_write_left_goes_with_the_next_restore(table: Table, tmp_path: Path) -> None:
    for copy in killed_at_every_call(table.base_path, tmp_path / "copies", "write"):
        copy.rollback(copy.log()[0].timestamp, "admin")
        versions = {f"{line.timestamp}.bsdiff" for line in copy.log()}
        found = {path.name for path in copy.folder.iterdir()}
        assert found == {".lock", "current.csv", "version.log", *versions}


@pytest.mark.parametrize("is_link", [True, False])
def test_what_others_put_in_the_place_of_the_next_content_is_never_published(
    table: Table, tmp_path: Path, is_link: bool
) -> None:
    # The name is no secret where the log has its last version's timestamp.
    planted = table.folder / f"current.csv.{table.log()[-1].timestamp}.tmp"
    outside = tmp_path / "outside"
    outside.write_bytes(OLD)
    if is_link:
        planted.symlink_to(outside)
    else:
        planted.write_bytes(b"planted")
    table.write(NEW, "admin")
    assert not table.current_path.is_symlink()
    assert table.read() == NEW
    assert outside.read_bytes() == OLD
    stamps = [line.timestamp for line in table.log()]
    assert [table.rebuild(stamp) for stamp in stamps] == [NEXT, OLD, NEW]


def test_a_leftover_that_cannot_be_removed_keeps_no_other(table: Table) -> None:
    (table.folder / "current.csv.5.tmp").mkdir()
    for name in ("current.csv.4.tmp", "rollback.tmp", "rollback_1.tmp"):
        (table.folder / name).touch()
    table.rollback(table.log()[0].timestamp, "admin")
    assert [path.name for path in table.folder.glob("*.tmp")] == ["current.csv.5.tmp"]


def test_a_delta_that_no_log_line_names_is_somebodys_where_no_write_of_it_was_begun(
    table: Table,
) -> None:
    (table.folder / "7.bsdiff").touch()
    (table.folder / "current.csv.7.tmp").symlink_to("nowhere")
    table.rollback(table.log()[0].timestamp, "admin")
    assert (table.folder / "7.bsdiff").exists()
    assert not (table.folder / "current.csv.7.tmp").is_symlink()


def test_files_are_synced_before_they_get_their_names_and_the_folder_after(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def syncing(descriptor: int) -> None:
        identity = os.fstat(descriptor).st_ino
        paths = [table.folder, *table.folder.iterdir()]
        events.extend(("sync", path.name) for path in paths if path.stat().st_ino == identity)
        sync(descriptor)

    def replacing(source: str, target: str) -> None:
        events.append(("replace", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)
    stamp = table.write(NEW, "admin")
    assert events == [
        ("sync", f"current.csv.{stamp}.tmp"),
        ("sync", f"{stamp}.bsdiff"),
        ("sync", "text"),
        ("sync", "version.log.new.tmp"),
        ("replace", "version.log"),
        ("sync", "text"),
        ("replace", "current.csv"),
        ("sync", "text"),
    ]


def test_an_init_killed_before_any_call_can_be_done_again(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    outcomes = set()
    for table in killed_at_every_call(tmp_path / "base", tmp_path / "copies", "init"):
        logged = bool(table.log())
        try:
            table.init(NEW, "admin")
        except TableAlreadyExists:
            assert logged
        outcomes.add(logged)
        (line,) = table.log()
        assert table.read() == table.rebuild(line.timestamp) == NEW
    assert outcomes == {False, True}


def test_a_write_finishes_an_init_that_was_killed_before_current_appeared(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    tables = killed_at_every_call(tmp_path / "base", tmp_path / "copies", "init")
    unfinished = [table for table in tables if table.log() and not table.exists()]
    assert unfinished
    for table in unfinished:
        table.write(NEXT, "admin")
        assert [table.rebuild(line.timestamp) for line in table.log()] == [NEW, NEXT]
