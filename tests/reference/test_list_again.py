"""list_backups beside others, on bad disks, and of archives that it has read before."""

from __future__ import annotations

import errno
import gzip
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from fixture_types import BackupAt

from reedbase_backup import IoError, catalogue, list_backups
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk import change_times, file_cache
from reedbase_backup.list import _table_counts
from reedbase_backup.verify import verify


def _becomes_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "turn",
    [
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to("1000.tar.gz")),
        lambda path: (path.unlink(), path.symlink_to(path.name)),
        _becomes_a_fifo,
    ],
    ids=["gone", "folder", "symlink", "loop", "fifo"],
)
def test_what_takes_an_archives_place_while_the_list_is_made_is_left_out(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch, turn: Callable[[Path], object]
) -> None:
    """A FIFO would have been waited for."""
    kept = backup_at(base, 1000)
    backup_at(base, 2000)
    names = catalogue.archive_names(str(base))
    turn(base / "backups" / "2000.tar.gz")
    monkeypatch.setattr(catalogue, "archive_names", lambda _: names)
    assert list_backups(base) == [kept]
    assert [one.id for one in verify(base)] == ["1000"]


def test_an_archive_on_a_bad_sector_does_not_hide_the_others(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = backup_at(base, 1000)
    backup_at(base, 2000)
    opened = catalogue.open_archive

    def failing(path: str, name: BackupName) -> IO[bytes]:
        if name.timestamp == 2000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, name)

    monkeypatch.setattr(catalogue, "open_archive", failing)
    assert list_backups(base) == [kept]


def test_a_lack_of_descriptors_is_an_error_and_not_a_gap_in_the_list(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)

    def failing(path: str, name: BackupName) -> IO[bytes]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(catalogue, "open_archive", failing)
    with pytest.raises(IoError, match=r"1000.tar.gz"):
        list_backups(base)


# What is remembered ----------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The archives that were opened, one after another."""
    opened = catalogue.open_archive
    seen: list[str] = []

    def open_archive(path: str, name: BackupName) -> IO[bytes]:
        seen.append(name.id)
        return opened(path, name)

    monkeypatch.setattr(catalogue, "open_archive", open_archive)
    return seen


@pytest.fixture
def foreign(base: Path) -> Path:
    """An archive of another implementation, changed long ago as far as its times tell."""
    (base / "backups").mkdir(exist_ok=True)
    archive = base / "backups" / "1000.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(base / "tables", "tables")
    return archive


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock says that every change was long ago."""
    monkeypatch.setattr(time, "time_ns", lambda ns=time.time_ns: ns() + 10**10)


def test_an_archive_of_others_is_read_once(
    base: Path, foreign: Path, later: None, reads: list[str]
) -> None:
    first = list_backups(base)
    assert [list_backups(base) for _ in range(3)] == [first] * 3
    assert reads == ["1000"]


def test_a_hostile_archive_is_read_once_too(base: Path, later: None, reads: list[str]) -> None:
    (base / "backups").mkdir()
    (base / "backups" / "1000.tar.gz").write_bytes(gzip.compress(bytes(5000)))
    assert [list_backups(base) for _ in range(3)] == [[]] * 3
    assert reads == ["1000"]


def test_one_that_changed_a_moment_ago_is_read_once_where_any_change_shows(
    base: Path, foreign: Path, reads: list[str]
) -> None:
    time.sleep(2 * change_times.TICK_NS / 10**9)
    list_backups(base)
    list_backups(base)
    assert reads == ["1000"]


def test_one_that_changed_a_moment_ago_is_read_again_where_times_tell_little(
    base: Path, foreign: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_times, "_FAITHFUL", ())
    time.sleep(2 * change_times.TICK_NS / 10**9)
    list_backups(base)
    list_backups(base)
    assert reads == ["1000", "1000"]


def test_one_that_changed_just_before_it_was_read_is_read_again(
    base: Path, foreign: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the file system's clock, a change of the same size looks like none.

    However long it took to read it: the change may have come right after the beginning.
    """
    read_through = ArchiveReader.read_through

    def slowly(reader: ArchiveReader) -> object:
        time.sleep(0.6)
        return read_through(reader)

    monkeypatch.setattr(ArchiveReader, "read_through", slowly)
    monkeypatch.setattr(change_times, "TICK_NS", 5 * 10**8)
    os.utime(foreign)
    list_backups(base)
    list_backups(base)
    assert reads == ["1000", "1000"]


def _overwritten_and_dated_back(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        _overwritten_and_dated_back,
        lambda path: (path.rename(f"{path}.old"), path.write_bytes(b"")),
    ],
    ids=["cut", "overwritten", "overwritten-and-dated-back", "replaced"],
)
def test_what_is_remembered_is_of_the_file_as_it_is(
    base: Path, foreign: Path, later: None, change: Callable[[Path], object]
) -> None:
    assert len(list_backups(base)) == 1
    os.utime(foreign, (1, 1))
    assert len(list_backups(base)) == 1
    time.sleep(0.02)  # one tick of the file system's clock
    change(foreign)
    assert list_backups(base) == []


def test_only_so_much_is_remembered(
    base: Path, foreign: Path, later: None, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    monkeypatch.setattr(file_cache, "_MOST_FILES", 3)
    for second in range(2000, 2005):
        (base / "backups" / f"{second}.tar.gz").write_bytes(foreign.read_bytes())
    for _ in range(3):
        assert len(list_backups(base)) == 6
    assert len(_table_counts._values) <= 3


def test_retention_reads_archives_of_others_once(
    base: Path, foreign: Path, later: None, reads: list[str], backup_at: BackupAt
) -> None:
    backup_at(base, 2000)
    reads.clear()  # the first looks at the head of it, whether anything can be taken over
    for second in range(2001, 2033):
        backup_at(base, second)
    assert reads.count("1000") == 1
