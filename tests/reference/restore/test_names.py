"""Trees of any depth and names of any length come back, ours among them."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fixture_types import MakeBase, ReadDatabase, TakeSnapshot

from reedbase_backup import ReedError, create_backup, restore_point_in_time
from reedbase_backup.types import U64_MAX as FOREVER

# More levels than Python's stack and the process's open files allow.
DEPTH = 1100


@pytest.fixture
def plant(make_base: MakeBase) -> Iterator[Callable[..., Path]]:
    """A database with a backup, as of `seconds`, of these folders (None) and files."""
    base = make_base("t")

    def put(contents: dict[str, bytes | None], seconds: int = 1000) -> Path:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in contents.items():
                member = tarfile.TarInfo(name)
                if content is None:
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                else:
                    member.size = len(content)
                archive.addfile(member, io.BytesIO(content or b""))
        (base / "backups").mkdir(exist_ok=True)
        (base / "backups" / f"{seconds}.tar.gz").write_bytes(gzip.compress(packed.getvalue()))
        return base

    yield put
    # pytest's own cleaning stumbles over a tree so deep that a failure has left.
    subprocess.run(["rm", "-rf", base], check=True)


@pytest.mark.slow
def test_a_tree_of_any_depth_comes_back_and_goes_again(plant: Callable[..., Path]) -> None:
    """Whether the archive names each folder, or only the file at the bottom."""
    folders = {"tables" + "/a" * n: None for n in range(1, DEPTH)}
    plant({"tables/t/x": b"flat"}, seconds=1)
    plant({"tables" + "/a" * DEPTH + "/leaf": b"implied"}, seconds=2)
    base = plant(folders | {"indices/x": b""}, seconds=3)

    for target in (3, 2, 1):
        assert restore_point_in_time(base, target).tables_restored == 1
        assert not [name for name in os.listdir(base) if name.startswith(".")]
    assert os.listdir(base / "tables") == ["t"]
    assert create_backup(base).table_count == 1


def test_a_name_as_long_as_a_path_can_be_comes_back(plant: Callable[..., Path]) -> None:
    """It fits a path of its own, but not one that begins with the base's."""
    long = "tables/" + "/".join(["d" * 200] * 30)
    base = plant({"tables/t/x": b"", long[:4095]: b"far away"})
    assert restore_point_in_time(base, 1000).total_bytes == len(b"far away")
    assert restore_point_in_time(base, 1000).total_bytes == len(b"far away")


@pytest.mark.parametrize("length", [4094, 4095])
def test_a_folder_whose_path_is_as_long_as_one_can_be_comes_back(
    base: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A tar names it with a slash at its end, which makes one more."""
    monkeypatch.chdir(base)
    place = ("tables/" + "/".join(["d" * 200] * 30))[: length - 1] + "e"
    os.makedirs(place)
    os.utime(place, ns=(1, 1))
    create_backup(base)
    shutil.rmtree("tables/" + "d" * 200)
    restore_point_in_time(base, FOREVER)
    assert os.lstat(place).st_mtime_ns == 1
    # pytest's own cleaning goes by paths that begin with the base's.
    shutil.rmtree("tables/" + "d" * 200)


def test_a_file_named_like_a_lock_that_is_kept_comes_back(
    base: Path, database: ReadDatabase
) -> None:
    for name in (".lock.kept", ".lock.tmp", ".lock2"):
        (base / "tables" / "text" / name).touch()
    before = database(base)
    create_backup(base)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_folders_that_only_names_imply_do_not_depend_on_the_umask(
    plant: Callable[..., Path],
) -> None:
    base = plant({"tables/t/x": b""})
    old = os.umask(0o077)
    try:
        restore_point_in_time(base, 1000)
    finally:
        os.umask(old)
    modes = [(base / name).stat().st_mode & 0o7777 for name in ("tables", "tables/t")]
    assert modes == [0o755, 0o755]


@pytest.mark.parametrize("name", [".reedbackup-staging", ".reedbackup-commit"])
def test_a_symlink_by_a_name_of_ours_is_never_followed(
    base: Path, database: ReadDatabase, snapshot: TakeSnapshot, tmp_path: Path, name: str
) -> None:
    before = database(base)
    create_backup(base)
    elsewhere = tmp_path / "elsewhere"
    for folder in ("new/tables", "old/deep/deeper"):
        (elsewhere / folder).mkdir(parents=True)
    outside = snapshot(elsewhere)
    (base / name).symlink_to(elsewhere, target_is_directory=True)
    with suppress(ReedError):
        restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert snapshot(elsewhere) == outside
