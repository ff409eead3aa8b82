"""Restores to databases with mount points and overlays in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import ReadDatabase, TakeSnapshot
from reference.faults.mounted.mounting import change, layered, mounts_of, needs_mounts
from reference.faults.traced import RunTraced, leftovers

from reedbase_backup import (
    IoError,
    ReedError,
    create_backup,
    list_backups,
    restore_point_in_time,
)
from reedbase_backup.types import U64_MAX as FOREVER

pytestmark = pytest.mark.slow

PLACES = {
    "tables": ["tables"],
    "a table": ["tables/text"],
    "both roots": ["tables", "indices"],
    "deeper": ["tables/text/deep"],
    "one in another": ["tables", "tables/text", "tables/text/deep/er"],
}


@pytest.fixture(params=[*PLACES, "bind", "overlay"])
def placed(
    request: pytest.FixtureRequest, base: Path, mount: Callable[..., None], tmp_path: Path
) -> Path:
    """A database in which something cannot be moved by a rename."""
    (base / "tables" / "text" / "deep" / "er").mkdir(parents=True)
    (base / "tables" / "text" / "deep" / "er" / "leaf").write_text("of a tree")
    if request.param == "bind":
        # Of the same file system, so that no device number tells.
        shutil.copytree(base / "tables" / "text" / "deep", tmp_path / "elsewhere")
        mount("--bind", tmp_path / "elsewhere", base / "tables" / "text" / "deep")
        return base
    if request.param == "overlay":
        return layered(base, mount, tmp_path)
    for number, place in enumerate(PLACES[request.param]):
        kept = tmp_path / f"kept{number}"
        shutil.copytree(base / place, kept)
        mount("-t", "tmpfs", "-o", "mode=755", "none", base / place)
        shutil.copytree(kept, base / place, dirs_exist_ok=True)
    return base


@needs_mounts
def test_folders_in_a_table_made_since_go_though_they_are_of_a_lower_layer(
    base: Path, mount: Callable[..., None], tmp_path: Path, database: ReadDatabase
) -> None:
    """Both roots are found to be unmovable one after the other: what was done is undone between."""
    (base / "indices").mkdir(exist_ok=True)
    before = database(base)
    create_backup(base)
    (base / "tables" / "since" / "inner").mkdir(parents=True)
    base = layered(base, mount, tmp_path)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before
    assert leftovers(base) == []


@needs_mounts
def test_what_cannot_be_moved_is_restored_where_it_is(placed: Path, database: ReadDatabase) -> None:
    base = placed
    before = database(base)
    create_backup(base)
    mounts = mounts_of(base)
    change(base)
    for _ in range(2):
        assert restore_point_in_time(base, FOREVER).tables_restored == 2
        assert database(base) == before
        assert leftovers(base) == []
    assert mounts_of(base) == mounts
    assert create_backup(base).table_count == 2


@needs_mounts
@pytest.mark.parametrize("how", ["error=EIO", "signal=SIGKILL", "signal=SIGINT"])
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(17, id="sample"),
        pytest.param(1, id="full", marks=pytest.mark.campaign),
    ],
)
def test_a_restore_there_that_is_cut_off_is_all_old_or_all_new(
    placed: Path, how: str, step: int, database: ReadDatabase, run_traced: RunTraced
) -> None:
    base = placed
    new = database(base)
    create_backup(base)
    ends = set()
    for n in range(1, 300, step):
        change(base)
        old = database(base)
        ended = run_traced("restore", base, f"renameat:{how}:when={n}", "renameat")
        now = database(base)
        create_backup(base)
        then = database(base)
        assert leftovers(base) == [], n
        assert then in (old, new), n
        if ended.status == 1 and "next create" not in ended.stderr:
            assert now == then, (n, ended)
        ends.add(then == new)
        for info in list_backups(base)[:-1]:
            (base / "backups" / f"{info.id}.tar.gz").unlink()
        if ended.status == 0:
            break
        restore_point_in_time(base, FOREVER)
        assert database(base) == new, n
    assert ended.status == 0
    assert step > 1 or ends == {True, False}


@needs_mounts
def test_a_mount_point_that_the_backup_does_not_have_is_an_error_and_nothing_changes(
    base: Path, mount: Callable[..., None], snapshot: TakeSnapshot
) -> None:
    create_backup(base)
    (base / "tables" / "since" / "then").mkdir(parents=True)
    mount("-t", "tmpfs", "none", base / "tables" / "since" / "then")
    (base / "tables" / "since" / "then" / "file").write_text("not to be lost")
    before = snapshot(base)
    with pytest.raises(IoError, match="tables/since is a mount point, or holds one"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


@needs_mounts
def test_a_read_only_mount_in_it_is_an_error_and_nothing_changes(
    base: Path, mount: Callable[..., None], tmp_path: Path, snapshot: TakeSnapshot
) -> None:
    create_backup(base)
    (tmp_path / "elsewhere").mkdir()
    shutil.copytree(base / "tables" / "text", tmp_path / "elsewhere", dirs_exist_ok=True)
    mount("--bind", "-o", "ro", tmp_path / "elsewhere", base / "tables" / "text")
    before = snapshot(base)
    with pytest.raises(ReedError, match="Read-only file system"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before


@needs_mounts
def test_a_file_that_is_a_mount_point_is_an_error_that_names_it(
    base: Path, mount: Callable[..., None], tmp_path: Path, snapshot: TakeSnapshot
) -> None:
    create_backup(base)
    (tmp_path / "file").write_text("mounted")
    current = base / "tables" / "text" / "current.csv"
    mount("--bind", tmp_path / "file", current)
    before = snapshot(base)
    with pytest.raises(IoError, match=r"tables/text/current\.csv is mounted there"):
        restore_point_in_time(base, FOREVER)
    assert snapshot(base) == before
