"""A disk in memory: the database on it, its size, and real files when it is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_reedbackup.injection.fakes.databases import FakeDatabases
from pytest_reedbackup.injection.fakes.disk import FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.views.tree import Tree


def decorated(database: Path) -> Tree:
    """Return the database with what is awkward in it."""
    (database / "tables" / "text" / "empty").mkdir(mode=0o750)
    (database / "tables" / "link").symlink_to("text")
    (database / "tables" / "text" / "Größe").write_bytes(b"\0\xff")
    (database / "tables" / "text" / "current.csv").chmod(0o400)
    os.utime(database, ns=(5, 1_600_000_000_123_456_789))
    return Tree.read(database)


def test_the_database_is_the_same_in_memory_and_back_on_a_real_disk(database: Path) -> None:
    real = decorated(database)
    with fake_disk(StoredTree.read(database)) as disk:
        there = Tree.read(disk.base)
        taken = disk.content()
    assert not real.differences(there, mtime=True)
    assert not real.without(["."]).differences(taken.tree(), mtime=True)
    again = database.parent / "again"
    taken.write(again)
    assert not real.differences(Tree.read(again), mtime=True)


def test_it_takes_the_bytes_of_its_files_and_no_more_than_there_are(disk: FakeDisk) -> None:
    used = disk.used
    assert used == sum(p.stat().st_size for p in disk.base.rglob("*") if p.is_file())
    disk.resize(used + 3)
    (disk.base / "three").write_bytes(b"123")
    with pytest.raises(OSError, match="No space left"):
        (disk.base / "four").write_bytes(b"4")
    (disk.base / "three").unlink()
    assert (disk.used, disk.most_used) == (used, used + 3)


def test_what_is_looked_up_at_once_is_what_pyfakefs_finds(disk: FakeDisk) -> None:
    tables = disk.base / "tables"
    (tables / "link").symlink_to("text")
    (tables / "text" / "loop").symlink_to("loop")
    assert os.path.realpath(tables / "link" / "current.csv") == f"{tables}/text/current.csv"
    assert (tables / "link").is_symlink()
    assert (tables / "link").is_dir()
    assert os.path.samefile(f"{tables}/./link/../text/.", tables / "text")
    assert not (tables / "nothing").exists()
    for path in (tables / "text" / "loop", tables / "text" / "current.csv" / "below"):
        with pytest.raises(OSError):
            path.stat()


@pytest.mark.parametrize("ends_badly", [False, True])
def test_real_files_are_back_afterwards_also_where_the_test_fails(
    database: Path, ends_badly: bool
) -> None:
    names = ("open", "stat", "listdir", "replace")
    functions = [getattr(os, name) for name in names]
    try:
        with fake_disk(StoredTree.read(database)) as disk:
            # Of Python 3.12, a path that is made in there cannot be used outside.
            base = os.fspath(disk.base)
            assert not database.exists()
            assert [getattr(os, name) for name in names] != functions
            assert not ends_badly
    except AssertionError:
        assert ends_badly
    assert [getattr(os, name) for name in names] == functions
    assert shutil.disk_usage("/").total > 1 << 20
    assert database.is_dir()
    assert not os.path.lexists(base)


JUDGING = """
import sys
from pathlib import Path
from pytest_reedbackup.injection.fakes.disk import fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree
with fake_disk(StoredTree.read(Path(sys.argv[1]))):
    from reedbase_backup.adapter.schemas.complaints import complaints
    print(complaints("replies/ticket.create_backup", {}))
"""


def test_a_wrong_answer_is_told_there_though_nothing_has_been_judged_before(database: Path) -> None:
    command = [sys.executable, "-c", JUDGING, str(database)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "`jsonrpc`" in told


def test_within_another_fake_file_system_there_is_none(disk: FakeDisk) -> None:
    with pytest.raises(MissingCapability, match="in use already"), fake_disk(disk.content()):
        pass


def test_a_users_database_has_as_much_room_as_is_asked_for(database: Path) -> None:
    databases = FakeDatabases(database)
    with databases(free=5) as base:
        (base / "a").write_bytes(b"12345")
        with pytest.raises(OSError, match="No space left"):
            (base / "b").write_bytes(b"1")
        databases.make_room(2)
        (base / "b").write_bytes(b"12")
        with pytest.raises(OSError, match="No space left"):
            (base / "c").write_bytes(b"1")
    with databases(free=1, database=database.parent) as base:
        assert (base / ".reed" / "tables").is_dir()


def test_what_such_a_disk_does_not_have_is_named_with_the_error(database: Path) -> None:
    def make_pipe(base: Path) -> None:
        try:
            os.mkfifo(base / "pipe")
        except OSError as error:
            raise RuntimeError("it does not work") from error

    with pytest.raises(RuntimeError) as failed, FakeDatabases(database)(free=5) as base:
        make_pipe(base)
    assert failed.value.__notes__ == ["os.mkfifo is not to be had on a disk in memory"]
