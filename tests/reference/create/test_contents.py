"""What a backup of the reference holds, and that it changes nothing else."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from fixture_types import BackupAt, FindTool, MakeBase, ReadDatabase, TakeSnapshot

from reedbase_backup import (
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER


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


def test_files_of_all_sizes_come_back(base: Path, database: ReadDatabase) -> None:
    """About a tar block, a file that is packed in one piece, a chunk, and a piece to compress."""
    for size in (512, 1 << 14, 1 << 18, 1 << 20, 5 << 19):
        for off in (-1, 0, 1):
            content = random.Random(size + off).randbytes(size + off)
            (base / "tables" / "text" / str(size + off)).write_bytes(content)
    backed_up = database(base)
    create_backup(base)
    shutil.rmtree(base / "tables" / "text")
    restore_point_in_time(base, FOREVER)
    assert database(base) == backed_up
