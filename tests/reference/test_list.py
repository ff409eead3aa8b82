"""list_backups of the reference: contract `ticket`, list/*."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, FindTool, RunAsNobody, TakeSnapshot

from reedbase_backup import (
    BackupInfo,
    BackupNotFound,
    IoError,
    catalogue,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.verify import verify


def test_backups_come_newest_first_whatever_order_they_were_made_in(
    base: Path, backup_at: BackupAt
) -> None:
    seconds = [1000, 30, 2**40, 999, 10_000, 0]
    for second in seconds:
        backup_at(base, second)
    assert [info.timestamp for info in list_backups(base)] == sorted(seconds, reverse=True)


def test_backups_of_one_second_come_latest_created_first(base: Path, backup_at: BackupAt) -> None:
    made = [backup_at(base, 1000) for _ in range(11)]
    made.append(backup_at(base, 1001))
    assert list_backups(base) == made[::-1]


def test_a_base_without_backups_has_an_empty_list_and_gets_nothing(
    tmp_path: Path, snapshot: TakeSnapshot
) -> None:
    (tmp_path / "no_backups").mkdir()
    (tmp_path / "empty" / "backups").mkdir(parents=True)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "backups").touch()
    (tmp_path / "file").touch()
    before = snapshot(tmp_path)

    for name in ("missing", "no_backups", "empty", "odd", "file", "nul\0", "\ud800", "x" * 5000):
        assert list_backups(tmp_path / name) == []

    assert snapshot(tmp_path) == before


FOREIGN_NAMES = [
    "+5.tar.gz",
    "007.tar.gz",
    "00.tar.gz",
    " 5.tar.gz",
    "5 .tar.gz",
    "5\n.tar.gz",
    "1_000.tar.gz",
    "-5.tar.gz",
    "1.5.tar.gz",
    "5e3.tar.gz",
    "0x5.tar.gz",
    "\N{ARABIC-INDIC DIGIT FIVE}.tar.gz",
    "5.TAR.GZ",
    "5.tgz",
    "5.tar",
    "5.tar.gz.tmp",
    ".tar.gz",
    "5-1.tar.gz",
    "5-02.tar.gz",
    "5-.tar.gz",
    f"{2**64}.tar.gz",
    f"{10**30}.tar.gz",
    "notes.txt",
]


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_a_file_under_another_name_is_no_backup(base: Path, backup_at: BackupAt, name: str) -> None:
    info = backup_at(base, 1000)
    archive = base / "backups" / "1000.tar.gz"
    (base / "backups" / name).write_bytes(archive.read_bytes())
    assert list_backups(base) == [info]


def test_folders_and_symlinks_under_an_archives_name_are_no_backups(
    base: Path, backup_at: BackupAt
) -> None:
    info = backup_at(base, 1000)
    (base / "backups" / "5.tar.gz").mkdir()
    (base / "backups" / "6.tar.gz").symlink_to("1000.tar.gz")
    (base / "backups" / "7.tar.gz").symlink_to("nowhere")
    os.mkfifo(base / "backups" / "8.tar.gz")
    assert list_backups(base) == [info]


def test_listing_changes_nothing_on_disk(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot
) -> None:
    for second in (1000, 1001, 1001):
        backup_at(base, second)
    (base / "backups" / "5.tar.gz").write_bytes(b"damaged")
    (base / "backups" / ".reedbackup-partial-1").touch()
    (base / ".reedbackup-staging").mkdir()
    before = snapshot(base)
    list_backups(base)
    assert snapshot(base) == before


def test_listing_works_where_nothing_may_be_written(
    base: Path, backup_at: BackupAt, as_nobody: RunAsNobody
) -> None:
    backup_at(base, 1000)
    for folder in (base / "backups", base):
        folder.chmod(0o555)
    done = as_nobody(
        "from reedbase_backup import list_backups\nprint(list_backups(sys.argv[1])[0].id)", base
    )
    assert (done.stdout, done.stderr) == ("1000\n", "")


def test_listing_works_on_a_read_only_file_system(
    base: Path, backup_at: BackupAt, tool: FindTool
) -> None:
    backup_at(base, 1000)
    script = f'mount --bind "{base}" "{base}" && mount -o remount,ro,bind "{base}" && exec "$@"'
    code = f"""
import os, errno
from reedbase_backup import list_backups
try:
    os.mkdir({str(base / "new")!r})
except OSError as error:
    assert error.errno == errno.EROFS
    print(list_backups({str(base)!r})[0].id)
"""
    done = subprocess.run(
        [tool("unshare"), "-m", "sh", "-c", script, "sh", sys.executable, "-c", code],
        capture_output=True,
        text=True,
    )
    if "mount:" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert (done.stdout, done.stderr) == ("1000\n", "")


@pytest.mark.parametrize("keep", [0, 1, 2, 9, 10, 17, 29, 30, 100, -9, -8, -1])
def test_an_archive_cut_short_is_no_backup(base: Path, backup_at: BackupAt, keep: int) -> None:
    info = backup_at(base, 1000)
    archive = base / "backups" / "1000.tar.gz"
    (base / "backups" / "2000.tar.gz").write_bytes(archive.read_bytes()[:keep])
    assert list_backups(base) == [info]


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip at all",
        bytes(100_000),
        gzip.compress(b"", mtime=0),
        gzip.compress(b"not a tar archive", mtime=0),
        gzip.compress(bytes(1024), mtime=0),
        b"BZh91AY&SY",
    ],
)
def test_a_file_that_is_no_archive_is_no_backup(
    base: Path, backup_at: BackupAt, content: bytes
) -> None:
    info = backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").write_bytes(content)
    assert list_backups(base) == [info]


def test_a_whole_archive_of_another_implementation_is_a_backup(base: Path) -> None:
    (base / "backups").mkdir()
    archive = base / "backups" / "1000.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(base / "tables", "tables")
    assert list_backups(base) == [BackupInfo("1000", 1000, archive.stat().st_size, 2, "gzip")]


def test_an_archive_that_may_not_be_read_is_an_error_and_not_a_gap_in_the_list(
    base: Path, backup_at: BackupAt, as_nobody: RunAsNobody
) -> None:
    backup_at(base, 1000)
    (base / "backups" / "1000.tar.gz").chmod(0o000)
    done = as_nobody(
        """
from reedbase_backup import list_backups
try:
    list_backups(sys.argv[1])
except PermissionDenied as error:
    print(error.path)
""",
        base,
    )
    assert done.stdout == ".reed/backups/1000.tar.gz\n", done.stderr


def test_an_archive_deleted_while_the_list_is_made_is_left_out(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = backup_at(base, 1000)
    backup_at(base, 2000)
    names = catalogue.archive_names(str(base))
    (base / "backups" / "2000.tar.gz").unlink()
    monkeypatch.setattr(catalogue, "archive_names", lambda _: names)
    assert list_backups(base) == [kept]


class _PathLike:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)


@pytest.mark.parametrize("given", [str, Path, bytes, _PathLike, "{}/".format, "{}/../.reed".format])
def test_a_base_may_be_given_in_each_of_pythons_ways(
    base: Path, given: Callable[[Path], str | bytes | os.PathLike[str]]
) -> None:
    info = create_backup(given(base))
    assert list_backups(given(base)) == list_backups(base) == [info]
    assert restore_point_in_time(given(base), 2**63).tables_restored == 2


def test_a_base_may_be_a_symlink_or_relative(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(base, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for path in ("link", ".reed"):
        create_backup(path)
        assert restore_point_in_time(path, 2**63).tables_restored == 2
    assert len(list_backups("link")) == len(list_backups(base)) == 2
    assert (tmp_path / "link").is_symlink()


def test_the_empty_path_is_no_base_and_never_the_working_folder(
    base: Path, monkeypatch: pytest.MonkeyPatch, snapshot: TakeSnapshot
) -> None:
    create_backup(base)
    monkeypatch.chdir(base)
    before = snapshot(base)
    for nowhere in ("", b""):
        assert list_backups(nowhere) == []
        assert verify(nowhere) == []
        with pytest.raises(BackupNotFound):
            restore_point_in_time(nowhere, 2**63)
        with pytest.raises(IoError, match="the empty path is not a folder"):
            create_backup(nowhere)
    assert snapshot(base) == before
    assert len(list_backups(".")) == len(list_backups(Path())) == 1


def test_a_relative_base_is_found_from_where_the_process_is_by_then(
    base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    create_backup(base)
    (tmp_path / "elsewhere" / ".reed").mkdir(parents=True)
    for folder, count in ((tmp_path, 1), (tmp_path / "elsewhere", 0), (tmp_path, 1)):
        monkeypatch.chdir(folder)
        assert len(list_backups(".reed")) == count
