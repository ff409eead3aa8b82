"""create_backup of contract last: whole archives of everything but the backups."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from reedbase_backup.errors import CommandFailed, IoError, ReedError
from reedbase_backup.last import Table, create_backup, init_registry, list_backups
from reedbase_backup.last.create import create_backup_at

SECOND = 10**9


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / ".reed"
    init_registry(base)
    Table(base, "text").init(b"key|value\n", "admin")
    (base / "indices").mkdir()
    (base / "empty").mkdir()
    return base


def members(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def error_of(base: Path) -> ReedError:
    with pytest.raises(ReedError) as caught:
        create_backup(base)
    return caught.value


def test_the_archive_holds_the_base_under_its_name_without_the_backups(base: Path) -> None:
    for second in (100, 200):
        create_backup_at(base, second * SECOND)
    names = members(base / "backups" / "200.tar.gz")
    expected = {f".reed/{name}" for name in everything(base) if not name.startswith("backups")}
    assert set(names) == {".reed"} | expected
    assert len(names) == len(set(names))


def test_a_folder_named_backups_elsewhere_is_kept(base: Path) -> None:
    deep = base / "tables" / ".reed" / "backups"
    deep.mkdir(parents=True)
    (deep / "kept").write_text("kept")
    assert ".reed/tables/.reed/backups/kept" in members(create_backup(base).path)


def test_an_unpacked_archive_is_the_database(base: Path, tmp_path: Path) -> None:
    info = create_backup(base)
    target = tmp_path / "unpacked"
    target.mkdir()
    subprocess.run(["tar", "-xzf", str(info.path), "-C", str(target)], check=True)
    same = ["diff", "-r", "-x", "backups", str(base), str(target / ".reed")]
    assert subprocess.run(same, capture_output=True, check=False).stdout == b""


def test_the_info_says_what_is_on_disk_and_in_the_list(base: Path) -> None:
    info = create_backup_at(base, 1_700_000_000 * SECOND + 999_999_999)
    assert (info.timestamp, info.path) == (1_700_000_000, base / "backups" / "1700000000.tar.gz")
    assert info.size_bytes == info.path.stat().st_size
    assert info.size_mb == info.size_bytes / 1048576
    assert list_backups(base) == [info]


def test_backups_in_one_second_are_all_kept_in_their_order(base: Path) -> None:
    made = [create_backup_at(base, 100 * SECOND) for _ in range(3)]
    assert [info.timestamp for info in made] == [100, 101, 102]
    assert list_backups(base) == made[::-1]


def test_nothing_is_ever_deleted(base: Path) -> None:
    for second in range(40):
        create_backup_at(base, second * SECOND)
    assert [info.timestamp for info in list_backups(base)] == list(range(39, -1, -1))


def test_the_source_stays_as_it_is(base: Path) -> None:
    before = {path: _unread(path) for path in base.rglob("*")}
    create_backup(base)
    assert {path: _unread(path) for path in before} == before


@pytest.mark.parametrize("what", ["missing", "file"])
def test_a_base_that_is_no_folder_is_an_error_and_stays_so(what: str, tmp_path: Path) -> None:
    base = tmp_path / "typo"
    if what == "file":
        base.write_text("x")
    error = error_of(base)
    assert error.fields == {
        "operation": "create_backup_dir",
        "reason": {
            "missing": "No such file or directory (os error 2)",
            "file": "Not a directory (os error 20)",
        }[what],
    }
    assert everything(tmp_path) == ({"typo"} if what == "file" else set())


@pytest.mark.parametrize("path", [".", "..", "sub/..", "/"])
def test_a_base_without_a_name_is_an_error_and_makes_nothing(
    path: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (base / "sub").mkdir()
    monkeypatch.chdir(base)
    error = error_of(Path(path))
    assert error.fields == {"operation": "get_basename", "reason": "Invalid base path"}
    assert not (base / "backups").exists()


def test_a_file_in_the_place_of_backups_is_an_error(base: Path) -> None:
    (base / "backups").write_text("x")
    assert error_of(base).fields == {
        "operation": "create_backup_dir",
        "reason": "File exists (os error 17)",
    }


def test_a_relative_base_works(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(base.parent)
    info = create_backup(".reed")
    assert info.path == Path(".reed/backups") / f"{info.timestamp}.tar.gz"


def test_a_base_that_is_a_symlink_is_archived_not_the_link(base: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(base)
    info = create_backup(link)
    assert "link/tables/text/current.csv" in members(info.path)
    assert "link" not in members(info.path)


@pytest.mark.parametrize("name", ["-T", "a b", "new\nline", "back\\nslash", "*[x]?", "caf\udce9"])
def test_any_file_name_is_archived(name: str, base: Path) -> None:
    (base / "tables" / name).write_text("kept")
    info = create_backup(base)
    with tarfile.open(info.path) as archive:
        found = archive.extractfile(f".reed/tables/{name}")
        assert found
        assert found.read() == b"kept"


@pytest.mark.parametrize("name", ["-base", "host:base", "a b"])
def test_any_name_of_a_base_works(name: str, base: Path) -> None:
    assert f"{name}/tables" in members(create_backup(base.rename(base.parent / name)).path)


def path_with_tar(folder: Path, script: str) -> str:
    """A PATH whose tar is this shell script."""
    folder.mkdir()
    tar = folder / "tar"
    tar.write_text(f"#!/bin/sh\n{script}\n")
    tar.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize("backups", [True, False])
def test_a_tar_that_fails_leaves_nothing(
    backups: bool, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backups:
        create_backup_at(base, 100 * SECOND)
    before = everything(base)
    script = "echo half an archive; echo 'tar: text: file changed as we read it' >&2; exit 1"
    monkeypatch.setenv("PATH", path_with_tar(tmp_path / "bin", script))
    error = error_of(base)
    assert isinstance(error, CommandFailed)
    assert error.fields == {
        "command": "tar",
        "error": "tar: text: file changed as we read it\n",
    }
    assert everything(base) == before


def test_a_missing_tar_is_reported(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    before = everything(base)
    error = error_of(base)
    assert error.fields == {"command": "tar", "error": "No such file or directory (os error 2)"}
    assert everything(base) == before


def test_the_archive_is_synced_before_it_has_its_name_and_its_folder_after(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup_at(base, 100 * SECOND)
    events: list[str] = []
    sync, link = os.fsync, os.link

    def syncing(descriptor: int) -> None:
        is_folder = os.path.isdir(f"/dev/fd/{descriptor}")
        events.append("sync folder" if is_folder else "sync archive")
        sync(descriptor)

    def linking(source: str, target: str) -> None:
        events.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "link", linking)
    create_backup_at(base, 200 * SECOND)
    assert events == ["sync archive", "name", "sync folder"]


def test_a_failed_sync_is_an_error_without_an_archive(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    before = everything(base)
    monkeypatch.setattr(os, "fsync", failing)
    error = error_of(base)
    assert isinstance(error, IoError)
    assert error.reason == "Input/output error (os error 5)"
    assert everything(base) == before


def _unread(path: Path) -> tuple[int, ...]:
    """All of a file's status but when it was read, which a backup may change."""
    found = path.stat()
    return (
        found.st_ino,
        found.st_mode,
        found.st_nlink,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
