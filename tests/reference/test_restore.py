"""restore_point_in_time of the reference: contract `ticket`, restore/*."""

from __future__ import annotations

import os
import random
import shutil
import tarfile
import time
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase, ReadDatabase, RunAsNobody, TakeSnapshot

from reedbase_backup import (
    BackupCorrupted,
    BackupNotFound,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


def change(base: Path, to: str) -> None:
    (base / "tables" / "text" / "current.csv").write_text(to)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (1000, "at 1000"),
        (1001, "at 1000"),
        (1999, "at 1000"),
        (2000, "at 2000"),
        (2001, "at 2000"),
        (2**32 - 1, "at 2000"),
        (2**32, f"at {2**32}"),
        (2**63 - 1, f"at {2**32}"),
        (2**63, f"at {2**63}"),
        (FOREVER - 1, f"at {2**63}"),
        (FOREVER, f"at {FOREVER}"),
    ],
)
def test_a_restore_takes_the_newest_backup_at_or_before_the_target(
    base: Path, backup_at: BackupAt, target: int, expected: str
) -> None:
    for second in (2**63, 1000, FOREVER, 2000, 2**32):
        change(base, f"at {second}")
        backup_at(base, second)
    change(base, "now")

    restore_point_in_time(base, target)

    assert (base / "tables" / "text" / "current.csv").read_text() == expected


def test_of_backups_of_one_second_a_restore_takes_the_one_created_last(
    base: Path, backup_at: BackupAt
) -> None:
    for n in range(11):
        change(base, f"number {n}")
        backup_at(base, 1000)
    change(base, "now")
    restore_point_in_time(base, 1000)
    assert (base / "tables" / "text" / "current.csv").read_text() == "number 10"


@pytest.mark.parametrize("target", [0, 1, 999])
def test_no_backup_before_the_target_is_an_error_and_nothing_changes(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, target: int
) -> None:
    backup_at(base, 2000)
    backup_at(base, 1000)
    before = snapshot(base)

    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base, target)

    assert caught.value.fields == {"target": target, "oldest": 1000}
    assert snapshot(base) == before


@pytest.mark.parametrize("path", [".reed", "missing", "file", "nul\0", "x" * 5000])
def test_a_base_without_backups_has_none_to_restore(
    base: Path, snapshot: TakeSnapshot, path: str
) -> None:
    (base.parent / "file").touch()
    before = snapshot(base.parent)
    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base.parent / path, 5)
    assert caught.value.fields == {"target": 5, "oldest": None}
    assert snapshot(base.parent) == before


@pytest.mark.parametrize("target", [-1, 2**64])
def test_a_target_that_is_no_u64_is_refused(base: Path, target: int) -> None:
    create_backup(base)
    with pytest.raises(ValueError, match=r"Unix seconds in 0 \.\.\. 2\^64-1"):
        restore_point_in_time(base, target)


@pytest.mark.parametrize("target", [True, 1e9, float("inf"), "1000", b"1000", None])
def test_a_target_that_is_no_whole_number_is_refused_as_it_was_given(
    base: Path, snapshot: TakeSnapshot, target: object
) -> None:
    create_backup(base)
    before = snapshot(base)
    with pytest.raises(TypeError, match=f"Unix seconds .* not {target!r}$"):
        restore_point_in_time(base, target)  # type: ignore[arg-type]
    assert snapshot(base) == before


def test_a_whole_number_of_any_type_is_a_target(base: Path, backup_at: BackupAt) -> None:
    class Number:
        def __index__(self) -> int:
            return 999

    backup_at(base, 1000)
    with pytest.raises(BackupNotFound) as caught:
        restore_point_in_time(base, Number())  # type: ignore[arg-type]
    assert (caught.value.target, type(caught.value.target)) == (999, int)


def test_the_trees_are_exactly_as_at_the_backup(base: Path, database: ReadDatabase) -> None:
    before = database(base)
    create_backup(base)

    text = base / "tables" / "text"
    change(base, "longer than before, and of another mode")
    (text / "current.csv").chmod(0o777)
    (text / "made since.csv").touch()
    (text / "empty").rmdir()
    (text / "empty.csv").unlink()
    (text / "empty.csv").mkdir()
    shutil.rmtree(base / "tables" / "routes")
    (base / "tables" / "new" / "deep").mkdir(parents=True)
    (base / "indices" / "metadata.json").unlink()
    os.utime(base / "indices", ns=(0, 0))
    restore_point_in_time(base, FOREVER)

    assert database(base) == before


@pytest.mark.parametrize("lost", ["tables", "indices"])
def test_a_root_that_was_lost_comes_back(base: Path, database: ReadDatabase, lost: str) -> None:
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / lost)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


@pytest.mark.parametrize("lost", ["tables", "indices"])
def test_a_file_or_symlink_in_place_of_a_root_is_replaced_and_never_followed(
    base: Path, database: ReadDatabase, lost: str, tmp_path: Path
) -> None:
    before = database(base)
    create_backup(base)
    (base / lost).rename(tmp_path / "elsewhere")
    (base / lost).symlink_to(tmp_path / "elsewhere")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert (tmp_path / "elsewhere").is_dir()

    shutil.rmtree(base / lost)
    (base / lost).touch()
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_everything_else_in_the_base_stays_as_it_was(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot
) -> None:
    backup_at(base, 1000)
    change(base, "changed")
    backup_at(base, 2000)
    (base / "registry" / "users.dict").write_text("code|username|created_at\n")
    (base / "notes").symlink_to("nowhere")
    (base / "backups" / "notes.txt").write_text("keep me")
    (base / "config").mkdir()
    kept = ("registry", "backups", "notes", "config")
    before, names = snapshot(base, *kept), set(os.listdir(base))

    restore_point_in_time(base, 1000)

    assert snapshot(base, *kept) == before
    assert set(os.listdir(base)) == names


def test_the_report_gives_tables_bytes_and_time(base: Path) -> None:
    files = [p for root in ("tables", "indices") for p in (base / root).rglob("*") if p.is_file()]
    total = sum(path.stat().st_size for path in files)
    create_backup(base)
    shutil.rmtree(base / "tables")

    started = time.monotonic_ns()
    report = restore_point_in_time(base, FOREVER)
    elapsed_ms = (time.monotonic_ns() - started) // 10**6

    assert (report.tables_restored, report.total_bytes) == (2, total)
    assert 0 <= report.duration_ms <= elapsed_ms


def test_the_same_restore_twice_gives_the_same_tree(base: Path, database: ReadDatabase) -> None:
    create_backup(base)
    change(base, "now")
    first = restore_point_in_time(base, FOREVER)
    once = database(base)
    second = restore_point_in_time(base, FOREVER)
    assert database(base) == once
    assert (first.tables_restored, first.total_bytes) == (
        second.tables_restored,
        second.total_bytes,
    )


def test_a_restore_after_a_restore_can_go_either_way_in_time(
    base: Path, backup_at: BackupAt, database: ReadDatabase
) -> None:
    trees = {}
    for second in (1000, 2000, 3000):
        change(base, f"at {second}")
        (base / "tables" / f"t{second}").mkdir()
        backup_at(base, second)
        trees[second] = database(base)
    for second in (1000, 3000, 2000, 2000, 1000):
        restore_point_in_time(base, second)
        assert database(base) == trees[second]


def damaged(archive: Path, how: str) -> bytes:
    content = bytearray(archive.read_bytes())
    middle = len(content) // 2
    match how:
        case "flipped":
            content[middle] ^= 1
        case "missing":
            del content[middle]
        case "cut":
            del content[-1]
        case "longer":
            content += b"\0"
        case "no gzip":
            content[:] = b"not gzip"
        case "empty":
            content.clear()
    return bytes(content)


@pytest.mark.parametrize("how", ["flipped", "missing", "cut", "longer", "no gzip", "empty"])
def test_a_damaged_pick_is_an_error_that_names_it_and_never_an_older_backup(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, how: str
) -> None:
    backup_at(base, 1000)
    backup_at(base, 2000)
    archive = base / "backups" / "2000.tar.gz"
    archive.write_bytes(damaged(archive, how))
    change(base, "now")
    before = snapshot(base)

    with pytest.raises(BackupCorrupted) as caught:
        restore_point_in_time(base, FOREVER)

    assert caught.value.archive == "2000.tar.gz"
    assert snapshot(base) == before
    assert restore_point_in_time(base, 1999).tables_restored == 2


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
def test_damage_amid_a_large_file_is_found_and_nothing_changes(
    base: Path, backup_at: BackupAt, snapshot: TakeSnapshot, how: str
) -> None:
    """Where the archive takes more than one read."""
    (base / "indices" / "big").write_bytes(random.Random(60).randbytes(5 << 20))
    backup_at(base, 2000)
    archive = base / "backups" / "2000.tar.gz"
    archive.write_bytes(damaged(archive, how))
    before = snapshot(base)
    with pytest.raises(BackupCorrupted, match=r"2000.tar.gz"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
def test_damage_amid_a_large_file_of_a_foreign_archive_is_found(
    base: Path, snapshot: TakeSnapshot, how: str
) -> None:
    (base / "indices" / "big").write_bytes(random.Random(60).randbytes(5 << 20))
    (base / "backups").mkdir()
    archive = base / "backups" / "2000.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(base / "indices", "indices")
        opened.add(base / "tables", "tables")
    archive.write_bytes(damaged(archive, how))
    before = snapshot(base)
    with pytest.raises(BackupCorrupted, match=r"2000.tar.gz"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


def test_a_file_that_list_leaves_out_is_still_the_pick(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").touch()
    assert [info.id for info in list_backups(base)] == ["1000"]
    with pytest.raises(BackupCorrupted, match=r"'2000.tar.gz' is corrupted: it is empty"):
        restore_point_in_time(base, 2000)


def test_many_files_come_back(make_base: MakeBase, database: ReadDatabase) -> None:
    """More than are synced one by one."""
    base = make_base("t")
    chance = random.Random(60)
    for n in range(500):
        (base / "tables" / "t" / f"{n}.bsdiff").write_bytes(chance.randbytes(100))
    (base / "indices" / "big").write_bytes(chance.randbytes(3 << 20) + bytes(3 << 20))
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_200_tables_come_back(make_base: MakeBase, database: ReadDatabase) -> None:
    base = make_base(*(f"t{n}" for n in range(200)))
    before = database(base)
    assert create_backup(base).table_count == 200
    shutil.rmtree(base / "tables")
    assert restore_point_in_time(base, FOREVER).tables_restored == 200
    assert database(base) == before


def test_a_restore_of_unreadable_live_folders_removes_them_and_nothing_beside(
    base: Path, as_nobody: RunAsNobody, tmp_path: Path
) -> None:
    """The live tree may be in any state: it is what the restore is to replace."""
    beside = tmp_path / "beside"
    beside.mkdir(mode=0o500)
    create_backup(base)
    (base / "tables" / "routes").chmod(0o000)
    (base / "tables" / "text" / "link").symlink_to(beside, target_is_directory=True)

    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)

    assert (done.stdout, done.stderr) == ("2\n", "")
    assert (base / "tables" / "routes").stat().st_mode & 0o777 == 0o755
    assert beside.stat().st_mode & 0o777 == 0o500
    assert not any(name.startswith(".reedbackup") for name in os.listdir(base))


@pytest.mark.parametrize("mode", [0o000, 0o200, 0o444, 0o111])
def test_folders_and_files_of_any_mode_come_back_for_any_user(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase, mode: int
) -> None:
    """Backed up by root, restored without its rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can read files of any mode")
    (base / "tables" / "text" / "current.csv").chmod(mode)
    (base / "tables" / "text").chmod(mode)
    (base / "indices").chmod(mode)
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    shutil.rmtree(base / "indices")

    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)

    assert (done.stdout, done.stderr) == ("2\n", "")
    assert database(base) == before


def test_owners_come_back_where_the_user_may_give_files_away(base: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    owners = {"tables/text": (70000, 70001), "tables/text/current.csv": (3_000_000, 4_000_000_000)}
    for name, (uid, gid) in owners.items():
        os.chown(base / name, uid, gid)
    create_backup(base)
    shutil.rmtree(base / "tables")

    restore_point_in_time(base, FOREVER)

    for name, owner in owners.items():
        status = (base / name).stat()
        assert (status.st_uid, status.st_gid) == owner


def test_modes_and_mtimes_of_every_kind_come_back(base: Path, database: ReadDatabase) -> None:
    text = base / "tables" / "text"
    closed = (0o000, 0o200) if os.geteuid() == 0 else ()
    for mode in (*closed, 0o644, 0o755, 0o4755, 0o2755, 0o1777):
        (text / f"file {mode:o}").touch()
        (text / f"file {mode:o}").chmod(mode)
        (text / f"folder {mode:o}").mkdir()
        (text / f"folder {mode:o}").chmod(mode)
    for seconds in (-(2**31), -1, 0, 2**31, 2**33):
        path = text / f"at {seconds}"
        path.touch()
        os.utime(path, ns=(seconds * 10**9 + 123_456_789,) * 2)
    before = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_a_restore_does_not_depend_on_the_umask(base: Path, database: ReadDatabase) -> None:
    before = database(base)
    old = os.umask(0o077)
    try:
        create_backup(base)
        restore_point_in_time(base, FOREVER)
    finally:
        os.umask(old)
    assert database(base) == before
