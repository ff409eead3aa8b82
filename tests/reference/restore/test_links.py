"""A restore links what is live as it was backed up, writes the rest, and is never fooled by it."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixture_types import MakeBase, ReadDatabase
from reference.archive.threads import have_processors
from reference.faults.traced import leftovers
from reference.restore.live import (
    Change,
    all_locked,
    before_the_last_look,
    change,
    files,
    inodes,
    later_by_a_nanosecond,
    rewrite,
)

from reedbase_backup import BackupCorrupted, IoError, create_backup, restore, restore_point_in_time
from reedbase_backup.disk import durable
from reedbase_backup.swap import links, live_file, transaction
from reedbase_backup.swap.links import SWITCH, LiveLinks
from reedbase_backup.swap.transaction import Transaction
from reedbase_backup.types import U64_MAX as FOREVER

CURRENT = Path("tables", "text", "current.csv")
LOG = Path("tables", "text", "version.log")
EMPTY = Path("tables", "text", "empty.csv")


@pytest.fixture(autouse=True, params=["alone", "every other file in a thread"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "alone":
        have_processors(monkeypatch, 2)
        monkeypatch.setattr(links, "_LARGE", 0)


def test_every_other_large_file_is_read_in_a_thread(
    base: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    create_backup(base)
    real, readers = live_file.read, set()

    def read(*arguments: Any) -> object:
        readers.add(threading.current_thread())
        return real(*arguments)

    for module in (links, live_file):
        monkeypatch.setattr(module, "read", read)
    restore_point_in_time(base, FOREVER)
    is_alone = "alone" in request.node.callspec.id
    assert threading.main_thread() in readers
    assert len(readers) == (1 if is_alone else 2)
    assert not any(reader.is_alive() for reader in readers - {threading.main_thread()})


def test_only_what_differs_is_written(base: Path, database: ReadDatabase) -> None:
    before = database(base)
    create_backup(base)
    change(base, "something else")
    live = inodes(base)

    restore_point_in_time(base, FOREVER)

    written = {name for name, inode in inodes(base).items() if inode != live[name]}
    assert {name for name in written if name.startswith("tables/")} == {str(CURRENT)}
    assert database(base) == before
    assert {path.stat().st_nlink for path in files(base)} == {1}


def test_each_file_whose_content_differs_is_written_whoever_reads_it(
    base: Path, database: ReadDatabase
) -> None:
    before = database(base)
    create_backup(base)
    for path in files(base):
        rewrite(path)
        restore_point_in_time(base, FOREVER)
        assert database(base) == before


def test_with_the_switch_at_0_all_is_written(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(base)
    create_backup(base)
    live = inodes(base)
    monkeypatch.setenv(SWITCH, "0")

    restore_point_in_time(base, FOREVER)

    locks = {name for name in live if name.endswith(".lock")}
    assert {name for name, inode in inodes(base).items() if inode == live[name]} == locks
    assert database(base) == before


def _link_beside(path: Path) -> None:
    os.link(path, path.parents[2] / "another name")


def _make_holes(path: Path) -> None:
    status = path.stat()
    with path.open("r+b") as file:
        file.truncate(0)
        file.truncate(status.st_size)
    os.utime(path, ns=(status.st_mtime_ns,) * 2)


def _by_a_symlink(path: Path) -> None:
    moved = path.rename(path.parents[2] / "moved")
    path.symlink_to(moved)


@pytest.mark.parametrize(
    "differ",
    [
        rewrite,
        _link_beside,
        _make_holes,
        later_by_a_nanosecond,
        _by_a_symlink,
        lambda path: path.chmod(0o640),
        lambda path: os.chown(path, 12345, -1),
        lambda path: os.chown(path, -1, 12345),
        lambda path: os.setxattr(path, "user.note", b"mine"),
    ],
    ids=["content", "other-link", "holes", "time", "symlink", "mode", "owner", "group", "xattr"],
)
def test_a_file_that_differs_in_anything_is_written(
    base: Path, database: ReadDatabase, differ: Change
) -> None:
    (base / LOG).write_bytes(bytes(20_000))
    before = database(base)
    create_backup(base)
    try:
        differ(base / LOG)
    except PermissionError:
        pytest.skip("only root can give files away")
    live = inodes(base)
    outside = {path: path.read_bytes() for path in base.iterdir() if path.is_file()}

    restore_point_in_time(base, FOREVER)

    assert inodes(base)[str(LOG)] != live[str(LOG)]
    assert database(base) == before
    found = (base / LOG).stat()
    assert (found.st_uid, found.st_gid, found.st_nlink) == (os.geteuid(), os.getegid(), 1)
    assert os.listxattr(base / LOG) == []
    assert {path: path.read_bytes() for path in outside} == outside


def test_a_file_that_changes_after_it_was_read_is_written(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who heeds no lock, and in all but ctime unseen."""
    before = database(base)
    create_backup(base)
    with before_the_last_look(monkeypatch, lambda: rewrite(base / CURRENT)) as looks:
        restore_point_in_time(base, FOREVER)
    assert looks == ["changed", "as it was"]
    assert database(base) == before


def test_where_files_go_on_changing_all_is_written(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(base)
    create_backup(base)
    changing = iter([base / CURRENT, base / LOG, base / "indices" / "metadata.json"])
    live = inodes(base)

    with before_the_last_look(monkeypatch, lambda: rewrite(next(changing))) as looks:
        restore_point_in_time(base, FOREVER)

    assert looks == ["changed", "changed", "as it was"]
    assert database(base) == before
    assert inodes(base)["tables/text/empty.csv"] != live["tables/text/empty.csv"]


def test_writers_are_locked_out_from_before_the_first_file_is_read_until_the_swap(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup(base)
    change(base, "changed")
    tried: list[str] = []

    def watched(name: str) -> Callable[..., None]:
        real: Callable[..., None] = getattr(LiveLinks, name)

        def watch(self: LiveLinks, *arguments: object) -> None:
            tried.extend(name for _ in all_locked(base))
            real(self, *arguments)

        return watch

    for name in ("link", "read", "look_again"):
        monkeypatch.setattr(LiveLinks, name, watched(name))
    restore_point_in_time(base, FOREVER)
    assert tried == ["link", "link", "read", "read", "look_again", "look_again"]


def test_no_live_file_is_read_before_it_is_linked_under_the_locks(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `link` reads is what it has linked: a file replaced meanwhile is another one."""
    before = (base / LOG).read_bytes()
    create_backup(base)
    real = LiveLinks.link

    def replace_first(self: LiveLinks, *arguments: object) -> None:
        if (base / LOG).read_bytes() == before:
            rewrite(base / LOG)
        real(self, *arguments)

    monkeypatch.setattr(LiveLinks, "link", replace_first)
    restore_point_in_time(base, FOREVER)
    assert (base / LOG).read_bytes() == before


@pytest.mark.parametrize(
    "code", [errno.EMLINK, errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSPC, errno.EIO]
)
def test_what_the_system_refuses_to_link_is_written(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    before = database(base)
    create_backup(base)
    change(base, "changed")
    real = os.link

    def link(source: str, *arguments: object, **keywords: object) -> None:
        if source == LOG.name:
            raise OSError(code, os.strerror(code), source)
        real(source, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)
    live = inodes(base)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert inodes(base)[str(LOG)] != live[str(LOG)]
    assert inodes(base)[str(EMPTY)] == live[str(EMPTY)]


def test_a_damaged_archive_costs_live_files_not_even_their_ctime(base: Path) -> None:
    create_backup(base)
    archive = next((base / "backups").iterdir())
    content = bytearray(archive.read_bytes())
    content[-30] ^= 1
    archive.write_bytes(content)
    before = {path: path.stat().st_ctime_ns for path in files(base)}
    with pytest.raises(BackupCorrupted):
        restore_point_in_time(base, FOREVER)
    assert {path: path.stat().st_ctime_ns for path in files(base)} == before


def test_writers_wait_for_a_bounded_number_of_bytes(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(base)
    create_backup(base)
    monkeypatch.setattr(links, "_MOST_BYTES", 100)
    live = inodes(base)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    linked = [base / name for name, inode in inodes(base).items() if inode == live[name]]
    assert 0 < sum(path.stat().st_size for path in linked) <= 100


def test_files_that_the_archive_has_as_links_come_back_as_files_of_their_own(
    make_base: MakeBase, tmp_path: Path
) -> None:
    base = make_base("t")
    (base / "tables" / "t" / "a").write_bytes(b"of both")
    os.link(base / "tables" / "t" / "a", base / "tables" / "t" / "b")
    (base / "backups").mkdir()
    packed = shutil.make_archive(str(tmp_path / "packed"), "gztar", base, "tables")
    shutil.move(packed, base / "backups" / "1000.tar.gz")
    for lost in ("b", "a", "b"):
        (base / "tables" / "t" / lost).unlink()
        restore_point_in_time(base, 1000)
        both = [base / "tables" / "t" / name for name in "ab"]
        assert [path.read_bytes() for path in both] == [b"of both"] * 2
        assert [path.stat().st_nlink for path in both] == [1, 1]


def test_only_the_root_that_is_moved_first_is_linked_and_none_that_stays_in_place(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a kill could leave live what is linked into a tree that is still to come."""
    before = database(base)
    create_backup(base)
    change(base, "changed")
    live = inodes(base)
    restore_point_in_time(base, FOREVER)
    linked = {name for name, inode in inodes(base).items() if inode == live[name]}
    assert {name.partition("/")[0] for name in linked} == {"tables"}

    live = inodes(base)
    monkeypatch.setattr(restore, "mount_points", lambda *_: frozenset({"tables/text"}))
    restore_point_in_time(base, FOREVER)
    linked = {name for name, inode in inodes(base).items() if inode == live[name]}
    assert {Path(name).name for name in linked} <= {".lock"}
    assert database(base) == before


def test_writers_are_locked_out_until_a_failed_swap_is_undone(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then, what they write to is also in the tree that goes."""
    create_backup(base)
    change(base, "changed")
    before = database(base)
    abandon = Transaction.abandon
    tried = []

    def watch(self: Transaction) -> str | None:
        tried.extend(all_locked(base))
        return abandon(self)

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(transaction, "finish", fail)
    monkeypatch.setattr(Transaction, "abandon", watch)
    with pytest.raises(IoError, match="the next create or restore"):
        restore_point_in_time(base, FOREVER)
    assert tried == ["routes", "text"]
    monkeypatch.undo()
    create_backup(base)
    assert database(base) == before


def test_where_what_is_staged_cannot_be_synced_that_is_the_error_whatever_else_is_found(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk says so once, and may not to the attempt that would follow."""
    create_backup(base)
    change(base, "something else")
    live = database(base)
    synced: list[int] = []

    def fail_once(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def find_another(*_: object) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(durable, "sync", fail_once)
        patched.setattr(links, "read", find_another)
        patched.setattr(links, "read_at", find_another)
        with pytest.raises(IoError, match="os error 5"):
            restore_point_in_time(base, FOREVER)
    assert database(base) == live
    assert leftovers(base) == []
