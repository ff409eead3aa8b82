"""Archives of other implementations restore: contract `ticket`, restore/foreign-archive."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import FindTool, ReadDatabase, TakeSnapshot, Tree

from reedbase_backup import BackupUnsafe, list_backups, restore_point_in_time


@pytest.fixture
def tar_czf(tool: FindTool) -> Callable[..., None]:
    def run(base: Path, *options: str, name: str = "1000") -> None:
        (base / "backups").mkdir(exist_ok=True)
        archive = base / "backups" / f"{name}.tar.gz"
        done = subprocess.run(
            [tool("tar"), "czf", archive, "-C", base, *options], capture_output=True, text=True
        )
        if "unrecognized" in done.stderr:
            pytest.skip("this is not GNU tar")
        assert done.returncode == 0, done.stderr

    return run


def whole_seconds(tree: Tree) -> Tree:
    return {name: (*entry[:2], entry[2] // 10**9, *entry[3:]) for name, entry in tree.items()}


FORMATS = ["gnu", "oldgnu", "pax", "ustar", "v7"]


@pytest.mark.parametrize("tar_format", FORMATS)
@pytest.mark.parametrize("roots", [("tables", "indices"), ("./indices", "./tables/")])
def test_what_tar_packs_in_any_format_comes_back(
    base: Path,
    tar_czf: Callable[..., None],
    database: ReadDatabase,
    tar_format: str,
    roots: tuple[str, str],
) -> None:
    before = whole_seconds(database(base))
    tar_czf(base, f"--format={tar_format}", *roots)
    shutil.rmtree(base / "tables")

    assert list_backups(base)[0].table_count == 2
    restore_point_in_time(base, 1000)

    assert whole_seconds(database(base)) == before


def test_the_pax_formats_fractions_of_seconds_come_back(
    base: Path, tar_czf: Callable[..., None], database: ReadDatabase
) -> None:
    before = database(base)
    tar_czf(base, "--format=pax", "tables", "indices")
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, 1000)
    assert database(base) == before


@pytest.mark.parametrize("mtime_ns", [-1, 1, 99_999, -315_619_200_500_000_000])
def test_mtimes_that_tarfile_writes_with_an_exponent_come_back(base: Path, mtime_ns: int) -> None:
    """Python's tarfile writes a float's own text, such as mtime=-1e-09."""
    os.utime(base / "tables" / "text" / "empty.csv", ns=(mtime_ns, mtime_ns))
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as tar:
        tar.add(base / "tables", "tables")
    restore_point_in_time(base, 1000)
    restored = os.stat(base / "tables" / "text" / "empty.csv").st_mtime_ns
    assert restored == pytest.approx(mtime_ns, abs=100)


@pytest.mark.parametrize("tar_format", ["gnu", "oldgnu", "pax"])
def test_long_names_and_times_before_1970_come_back(
    base: Path, tar_czf: Callable[..., None], database: ReadDatabase, tar_format: str
) -> None:
    for length in (97, 98, 99, 100, 101, 155, 156, 250):
        folder = base / "tables" / "text" / ("d" * (length - len("tables/text//")))
        folder.mkdir()
        (folder / "file").write_text(str(length))
    deep = base / "tables" / "text" / "/".join("e" * 99 for _ in range(6))
    deep.mkdir(parents=True)
    (deep / "leaf").touch()
    os.utime(deep / "leaf", ns=(-(10**18), -(10**18)))
    os.utime(deep, (2**33, 2**33))
    before = whole_seconds(database(base))
    tar_czf(base, f"--format={tar_format}", "tables", "indices")
    shutil.rmtree(base / "tables")

    restore_point_in_time(base, 1000)

    assert whole_seconds(database(base)) == before


def test_names_that_ustar_splits_in_two_come_back(
    base: Path, tar_czf: Callable[..., None], database: ReadDatabase
) -> None:
    deep = base / "tables" / "text" / ("p" * 90) / ("q" * 40)
    deep.mkdir(parents=True)
    (deep / ("f" * 60)).touch()
    before = whole_seconds(database(base))
    tar_czf(base, "--format=ustar", "tables", "indices")
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, 1000)
    assert whole_seconds(database(base)) == before


@pytest.mark.parametrize("tar_format", FORMATS)
def test_hard_links_come_back_as_files_of_the_same_content(
    base: Path, tar_czf: Callable[..., None], tar_format: str
) -> None:
    text = base / "tables" / "text"
    (text / "linked.csv").hardlink_to(text / "current.csv")
    (base / "indices" / "linked").hardlink_to(text / "current.csv")
    content = (text / "current.csv").read_bytes()
    files = [p for root in ("tables", "indices") for p in (base / root).rglob("*") if p.is_file()]
    total = sum(path.stat().st_size for path in files)
    tar_czf(base, f"--format={tar_format}", "tables", "indices")
    shutil.rmtree(base / "tables")

    report = restore_point_in_time(base, 1000)

    assert report.total_bytes == total
    for path in (text / "linked.csv", text / "current.csv", base / "indices" / "linked"):
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600


def test_folders_that_only_paths_imply_are_made(base: Path, tar_czf: Callable[..., None]) -> None:
    tar_czf(base, "--no-recursion", "tables/text/current.csv", "tables/routes/current.csv")
    content = (base / "tables" / "text" / "current.csv").read_bytes()
    report = restore_point_in_time(base, 1000)
    assert report.tables_restored == 2
    assert (base / "tables" / "text" / "current.csv").read_bytes() == content
    assert not (base / "indices").exists()


def test_members_beside_tables_and_indices_are_passed_over(
    base: Path, tar_czf: Callable[..., None], snapshot: TakeSnapshot
) -> None:
    (base / "NOTES").write_text("made by another implementation")
    (base / ".meta").mkdir()
    (base / ".meta" / "info").write_text("{}")
    tar_czf(base, "tables", "indices", "NOTES", ".meta")
    (base / "NOTES").unlink()
    shutil.rmtree(base / ".meta")
    names = set(os.listdir(base))
    restore_point_in_time(base, 1000)
    assert set(os.listdir(base)) == names


def test_a_sparse_member_is_refused_with_advice(base: Path, tar_czf: Callable[..., None]) -> None:
    with (base / "indices" / "sparse").open("wb") as file:
        file.truncate(1 << 20)
    for tar_format in ("gnu", "pax"):
        tar_czf(base, "--sparse", f"--format={tar_format}", "tables", "indices")
        with pytest.raises(BackupUnsafe, match="pack it without --sparse"):
            restore_point_in_time(base, 1000)


@pytest.mark.parametrize("member", ["registry", "backups/notes.txt"])
def test_an_archive_of_more_than_the_database_is_refused(
    base: Path, tar_czf: Callable[..., None], member: str
) -> None:
    (base / "backups").mkdir()
    (base / "backups" / "notes.txt").touch()
    tar_czf(base, "tables", "indices", member)
    with pytest.raises(BackupUnsafe, match="only tables/ and indices/"):
        restore_point_in_time(base, 1000)


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
@pytest.mark.parametrize("level", [0, 1, 9])
def test_what_the_standard_library_packs_comes_back(
    base: Path, database: ReadDatabase, tar_format: int, level: int
) -> None:
    before = whole_seconds(database(base))
    (base / "backups").mkdir()
    with tarfile.open(
        base / "backups" / "1000.tar.gz", "w:gz", format=tar_format, compresslevel=level
    ) as archive:
        for root in ("tables", "indices"):
            archive.add(base / root, root)
    shutil.rmtree(base / "tables")
    restore_point_in_time(base, 1000)
    assert whole_seconds(database(base)) == before


def test_a_global_pax_header_is_understood(base: Path) -> None:
    (base / "backups").mkdir()
    with tarfile.open(
        base / "backups" / "1000.tar.gz", "w:gz", pax_headers={"comment": "0f" * 20}
    ) as archive:
        member = tarfile.TarInfo("tables/t/current.csv")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"k|v\n"))
    restore_point_in_time(base, 1000)
    assert (base / "tables" / "t" / "current.csv").read_bytes() == b"k|v\n"


def test_an_archive_padded_to_whole_records_restores(
    base: Path, tar_czf: Callable[..., None]
) -> None:
    tar_czf(base, "--blocking-factor=2000", "tables", "indices")
    assert restore_point_in_time(base, 1000).tables_restored == 2
