"""create_backup of the reference: contract `ticket`, create/*."""

from __future__ import annotations

import gzip
import os
import random
import socket
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, FindTool, MakeBase, ReadDatabase, RunAsNobody, TakeSnapshot

from reedbase_backup import (
    BackupUnsafe,
    IoError,
    NoTablesFound,
    create_backup,
    list_backups,
    restore_point_in_time,
    retention,
)
from reedbase_backup.create import create_backup_at
from reedbase_backup.disk import durable


def archive_of(base: Path, backup_id: str) -> Path:
    return base / "backups" / f"{backup_id}.tar.gz"


def test_the_archive_is_one_gzip_member_that_gzip_and_tar_accept(
    base: Path, tool: FindTool
) -> None:
    archive = archive_of(base, create_backup(base).id)

    subprocess.run([tool("gzip"), "-t", archive], check=True)
    listed = subprocess.run([tool("tar"), "tzf", archive], check=True, capture_output=True)

    assert listed.stderr == b""
    assert b"tables/text/current.csv\n" in listed.stdout
    # A second member would begin with the magic of its own header.
    content = gzip.decompress(archive.read_bytes())
    assert int.from_bytes(archive.read_bytes()[-4:], "little") == len(content)


def test_the_archive_holds_tables_and_indices_byte_for_byte_and_nothing_else(base: Path) -> None:
    archive = archive_of(base, create_backup(base).id)

    with tarfile.open(archive) as opened:
        members = {member.name: member for member in opened if member.name[0] != "."}
        expected = {
            str(path.relative_to(base)): path
            for root in ("tables", "indices")
            for path in (base / root, *(base / root).rglob("*"))
        }
        assert members.keys() == expected.keys()
        for name, path in expected.items():
            member, status = members[name], path.lstat()
            assert (member.isdir(), member.mode) == (path.is_dir(), stat.S_IMODE(status.st_mode))
            assert int(member.mtime) == status.st_mtime_ns // 10**9
            if member.isfile():
                file = opened.extractfile(member)
                assert file is not None
                assert file.read() == path.read_bytes()


def test_the_returned_info_is_the_first_of_the_list(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    info = create_backup(base)

    archive = archive_of(base, info.id)
    assert info == list_backups(base)[0]
    assert (info.size_bytes, info.table_count) == (archive.stat().st_size, 2)
    assert info.compression == "gzip"


def test_a_backup_leaves_the_source_as_it_was(base: Path, snapshot: TakeSnapshot) -> None:
    before = snapshot(base)
    create_backup(base)
    after = snapshot(base)
    assert {name: entry for name, entry in after.items() if name[:7] != "backups"} == before


def test_backups_of_one_second_are_all_kept_and_the_later_is_newer(
    base: Path, backup_at: BackupAt
) -> None:
    made = [backup_at(base, 1000) for _ in range(12)]

    assert len({info.id for info in made}) == 12
    assert [info.timestamp for info in made] == [1000] * 12
    assert list_backups(base) == made[::-1]


def test_a_second_of_40_backups_keeps_the_32_created_last(base: Path, backup_at: BackupAt) -> None:
    made = [backup_at(base, 1000) for _ in range(40)]
    assert list_backups(base) == made[:7:-1]


def test_a_backup_by_a_clock_that_went_back_is_kept_with_that_clocks_time(
    base: Path, backup_at: BackupAt
) -> None:
    newer = [backup_at(base, 2000 + n) for n in range(32)]
    late = backup_at(base, 1000)

    assert late.timestamp == 1000
    assert list_backups(base) == [*newer[:0:-1], late]


@pytest.mark.parametrize("seconds", [0, 2**31, 2**33, 2**63, 2**64 - 1])
def test_any_u64_second_is_a_time_for_a_backup(
    base: Path, backup_at: BackupAt, seconds: int
) -> None:
    assert backup_at(base, seconds).timestamp == seconds
    assert [info.timestamp for info in list_backups(base)] == [seconds]
    assert restore_point_in_time(base, 2**64 - 1).tables_restored == 2


@pytest.mark.parametrize("now_ns", [-1, 2**64 * 10**9])
def test_a_clock_outside_of_u64_seconds_is_refused(
    base: Path, snapshot: TakeSnapshot, now_ns: int
) -> None:
    before = snapshot(base)
    with pytest.raises(IoError, match="set the clock"):
        create_backup_at(base, now_ns)
    assert snapshot(base) == before


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


def test_an_empty_tables_folder_is_a_database_of_no_tables(make_base: MakeBase) -> None:
    assert create_backup(make_base()).table_count == 0


def test_files_directly_under_tables_are_kept_and_are_no_tables(
    base: Path, database: ReadDatabase
) -> None:
    (base / "tables" / "README").write_text("not a table")
    before = database(base)
    assert create_backup(base).table_count == 2
    restore_point_in_time(base, 2**63)
    assert database(base) == before


def test_missing_indices_are_fine_and_stay_missing_after_a_restore(
    make_base: MakeBase, base: Path
) -> None:
    for file in (base / "indices").iterdir():
        file.unlink()
    (base / "indices").rmdir()
    create_backup(base)
    (base / "indices").mkdir()

    restore_point_in_time(base, 2**63)

    assert not (base / "indices").exists()


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


def test_ten_thousand_rows_take_at_most_35_percent_of_their_size(make_base: MakeBase) -> None:
    base = make_base()
    chance = random.Random(60)
    words = [
        "page.title",
        "menu.home",
        "button.send",
        "footer.imprint",
        "error.missing",
        "über",
        "größe",
    ]
    for name in ("a", "b", "c", "d"):
        rows = (
            f"{chance.choice(words)}.{row}|{chance.choice(words)} {chance.choice(words)}@de\n"
            for row in range(2500)
        )
        (base / "tables" / name).mkdir()
        (base / "tables" / name / "current.csv").write_text("key|value\n" + "".join(rows))
    files = [path for path in base.rglob("*") if path.is_file()]

    info = create_backup(base)

    assert info.size_bytes <= 0.35 * sum(path.stat().st_size for path in files)


def test_exactly_the_32_newest_backups_remain(base: Path, backup_at: BackupAt) -> None:
    made = []
    for n in range(35):
        made.append(backup_at(base, 1000 + n))
        assert list_backups(base) == made[: -retention.KEEP - 1 : -1]
    assert len(os.listdir(base / "backups")) == 32


def test_retention_neither_counts_nor_deletes_what_is_no_backup(
    base: Path, backup_at: BackupAt
) -> None:
    backups = base / "backups"
    backups.mkdir()
    (backups / "notes.txt").touch()
    (backups / "007.tar.gz").write_bytes(b"somebody's")
    (backups / "5.tar.gz").write_bytes(b"not gzip")
    (backups / "6.tar.gz").mkdir()
    (backups / "7.tar.gz").symlink_to("notes.txt")
    foreign = set(os.listdir(backups))

    made = [backup_at(base, 1000 + n) for n in range(34)]

    assert list_backups(base) == made[:1:-1]
    assert foreign < set(os.listdir(backups))


def test_retention_counts_whole_archives_of_other_implementations(
    base: Path, backup_at: BackupAt
) -> None:
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "999.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "tables")
    for n in range(31):
        backup_at(base, 1000 + n)
    assert list_backups(base)[-1].id == "999"
    backup_at(base, 2000)
    assert list_backups(base)[-1].id == "1000"


@pytest.mark.parametrize("call", ["rename", "unlink"])
def test_an_interrupt_as_old_backups_are_pruned_loses_none_that_is_to_stay(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Ctrl-C just after the `call` on an old archive."""
    made = [backup_at(base, 1000 + n).id for n in range(32)]
    original = getattr(os, call)

    def interrupted(path: str, *more: str) -> None:
        original(path, *more)
        if "1000.tar.gz" in path:
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(os, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup_at(base, 2000)
    # As if the call had never been, or as if it had ended.
    expected = made if call == "rename" else [*made[1:], "2000"]
    assert [info.id for info in list_backups(base)] == expected[::-1]


def test_an_interrupt_as_the_archive_gets_its_name_takes_it_back(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def interrupted(source: str, target: str) -> None:
        link(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backup_at(base, 1000)
    assert not (base / "backups").exists()


def test_a_name_that_a_folder_holds_is_not_taken_for_the_backup(
    base: Path, backup_at: BackupAt
) -> None:
    (base / "backups" / "1000.tar.gz").mkdir(parents=True)
    assert backup_at(base, 1000).id == "1000-2"


def test_the_backups_folder_may_be_a_link_to_another_disk(
    base: Path, backup_at: BackupAt, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (base / "backups").symlink_to(tmp_path / "disk")
    info = backup_at(base, 1000)
    assert os.listdir(tmp_path / "disk") == ["1000.tar.gz"]
    assert list_backups(base) == [info]


def test_names_that_are_no_utf8_or_very_long_come_back(base: Path, database: ReadDatabase) -> None:
    folder = os.fsencode(base / "tables" / "text")
    for name in (b"\xff\xfe", b"back\\slash\nline", b"x" * 250, b" ", b"-r"):
        Path(os.fsdecode(os.path.join(folder, name))).write_bytes(name)
    deep = base / "tables" / "text" / "/".join("d" * 60 for _ in range(10))
    deep.mkdir(parents=True)
    (deep / "leaf").touch()
    before = database(base)

    create_backup(base)
    (base / "tables" / "text" / "current.csv").unlink()
    restore_point_in_time(base, 2**63)

    assert database(base) == before


@pytest.mark.parametrize("length", range(95, 106))
def test_a_name_of_any_length_about_100_bytes_comes_back(
    make_base: MakeBase, database: ReadDatabase, length: int
) -> None:
    """Where ustar's name field ends; the cut may fall behind a slash."""
    base = make_base("t")
    folder = base / "tables" / "t" / ("d" * (length - len("tables/t//")))
    folder.mkdir()
    (folder / "current.csv").write_text("key|value\n")
    before = database(base)

    create_backup(base)
    restore_point_in_time(base, 2**63)

    assert database(base) == before


def test_what_may_not_be_read_is_an_error_that_names_it(base: Path, as_nobody: RunAsNobody) -> None:
    (base / "tables" / "text" / "current.csv").chmod(0o200)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied tables/text/current.csv\n", done.stderr


def test_a_folder_that_may_not_be_read_is_an_error_that_names_it(
    base: Path, as_nobody: RunAsNobody
) -> None:
    (base / "tables" / "text" / "empty").chmod(0o000)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied tables/text/empty\n", done.stderr


def test_read_only_folders_are_backed_up_and_restored_by_their_owner(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    for path in (base / "tables" / "text" / "empty", base / "tables" / "text"):
        path.chmod(0o555)
    (base / "tables" / "routes" / "current.csv").chmod(0o400)
    before = database(base)

    done = as_nobody(_CREATE + _RESTORE, base)

    assert (done.stdout, done.stderr) == ("created\nrestored\n", "")
    assert database(base) == before


def test_read_only_roots_are_backed_up_and_restored_by_their_owner(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    for root in ("tables", "indices"):
        (base / root).chmod(0o555)
    before = database(base)
    done = as_nobody(_CREATE + _RESTORE, base)
    assert (done.stdout, done.stderr) == ("created\nrestored\n", "")
    assert database(base) == before


def test_a_base_that_may_not_be_written_is_an_error_and_nothing_is_created(
    base: Path, as_nobody: RunAsNobody
) -> None:
    base.chmod(0o555)
    done = as_nobody(_CREATE, base)
    assert done.stdout == "PermissionDenied .reed/backups\n", done.stderr


def test_an_old_archive_that_may_not_be_read_does_not_stop_new_backups(
    base: Path, as_nobody: RunAsNobody, backup_at: BackupAt
) -> None:
    for n in range(33):
        backup_at(base, 1000 + n)
    unreadable = base / "backups" / "1005.tar.gz"
    unreadable.chmod(0o000)
    done = as_nobody(_CREATE, base)
    assert (done.stdout, done.stderr) == ("created\n", "")
    assert unreadable.exists()
    assert len(os.listdir(base / "backups")) == 33


_CREATE = """
try:
    create_backup(sys.argv[1])
    print("created")
except PermissionDenied as error:
    print(error.kind, error.path)
"""
_RESTORE = """
restore_point_in_time(sys.argv[1], 2**63)
print("restored")
"""
