"""What create_backup refuses: by name, and without a trace."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot

from reedbase_backup import (
    BackupUnsafe,
    IoError,
    NoTablesFound,
    create_backup,
    list_backups,
)
from reedbase_backup.disk import durable


@pytest.mark.parametrize("path", ["missing", "missing/deeper", "a_file", ""])
def test_a_base_that_is_no_folder_is_refused_and_nothing_is_created(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()
    with pytest.raises(IoError, match=r"give the path of a .reed database"):
        create_backup(path)
    assert os.listdir(tmp_path) == ["a_file"]


@pytest.mark.parametrize("path", ["with\0nul", "\ud800", "x" * 5000])
def test_a_path_that_no_file_system_has_is_refused_like_a_missing_one(path: str) -> None:
    with pytest.raises(IoError, match=r"give the path of a .reed database"):
        create_backup(path)


def test_a_base_without_tables_is_refused_and_nothing_is_created(tmp_path: Path) -> None:
    (tmp_path / "indices").mkdir()
    with pytest.raises(NoTablesFound):
        create_backup(tmp_path)
    assert os.listdir(tmp_path) == ["indices"]


def test_tables_that_are_a_file_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "tables").touch()
    with pytest.raises(NoTablesFound):
        create_backup(tmp_path)
    assert os.listdir(tmp_path) == ["tables"]


def _symlink(path: Path) -> None:
    path.symlink_to("current.csv")


def _symlink_to_folder(path: Path) -> None:
    path.symlink_to("/tmp", target_is_directory=True)


def _dangling_symlink(path: Path) -> None:
    path.symlink_to("nowhere")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        # A socket's path has a short limit of its own.
        here = os.getcwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make devices")


SPECIAL_FILES = [_symlink, _symlink_to_folder, _dangling_symlink, _fifo, _socket, _device]


@pytest.mark.parametrize("place", ["tables", "tables/text", "tables/text/empty", "indices"])
@pytest.mark.parametrize("make", SPECIAL_FILES)
def test_a_special_file_is_refused_by_name_and_never_followed(
    base: Path, snapshot: TakeSnapshot, make: Callable[[Path], None], place: str
) -> None:
    make(base / place / "odd")
    before = snapshot(base)

    with pytest.raises(BackupUnsafe, match="only regular files and folders") as caught:
        create_backup(base)

    assert caught.value.path == f"{place}/odd"
    assert snapshot(base) == before


@pytest.mark.parametrize("make", SPECIAL_FILES)
def test_a_special_file_in_place_of_a_tables_lock_is_refused_by_name(
    base: Path, make: Callable[[Path], None]
) -> None:
    (base / "tables" / "text" / ".lock").unlink()
    make(base / "tables" / "text" / ".lock")
    with pytest.raises(BackupUnsafe) as caught:
        create_backup(base)
    assert caught.value.path == "tables/text/.lock"


@pytest.mark.parametrize("root", ["tables", "indices"])
def test_a_symlink_in_place_of_a_root_is_refused_by_name(
    base: Path, root: str, tmp_path: Path
) -> None:
    (base / root).rename(tmp_path / "elsewhere")
    (base / root).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupUnsafe) as caught:
        create_backup(base)
    assert caught.value.path == root
    assert not (base / "backups").exists()


def test_an_error_leaves_older_backups_and_no_trace_of_the_new_one(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot
) -> None:
    backup_at(base, 1000)
    backups = snapshot(base, "backups")
    (base / "indices" / "odd").symlink_to("nowhere")

    with pytest.raises(BackupUnsafe):
        create_backup(base)

    after = snapshot(base, "backups")
    assert after.keys() == backups.keys()
    assert after["backups/1000.tar.gz"] == backups["backups/1000.tar.gz"]


def test_what_a_killed_backup_left_is_gone_after_the_next(base: Path, backup_at: BackupAt) -> None:
    (base / "backups").mkdir()
    (base / "backups" / f"{durable.PARTIAL_PREFIX}4711").write_bytes(b"half an archive")
    assert list_backups(base) == []
    backup_at(base, 1000)
    assert os.listdir(base / "backups") == ["1000.tar.gz"]
