"""What a killed restore needs goes before the next call: a table, or what was mounted there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fixture_types import ReadDatabase
from reference.faults.mounted.mounting import change, layered, needs_mounts
from reference.faults.traced import RunTraced, leftovers

from reedbase_backup import IoError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.types import U64_MAX as FOREVER

pytestmark = pytest.mark.slow


@needs_mounts
@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_table_that_goes_between_a_kill_and_the_next_call_stops_no_call_after_it(
    base: Path,
    mount: Callable[..., None],
    tmp_path: Path,
    database: ReadDatabase,
    run_traced: RunTraced,
    is_renamed: bool,
) -> None:
    """What the kill had moved away of it comes back, in a folder that is made again."""
    new = database(base)
    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("changed")
    (base / "tables" / "text" / "version.log").unlink()
    old, midst = database(base), 0
    for n in range(2, 60, 3):
        (tmp_path / str(n)).mkdir()
        copied = shutil.copytree(base, tmp_path / str(n) / ".reed", symlinks=True)
        merged = layered(copied, mount, tmp_path / str(n))
        ended = run_traced("restore", merged, f"renameat:signal=SIGKILL:when={n}", "renameat")
        if ended.status == 0:
            break
        midst += database(merged) not in (old, new)
        table = merged / "tables" / "text"
        if is_renamed:
            shutil.copytree(table, table.with_name("renamed"))
        shutil.rmtree(table)
        with suppress(IoError):
            create_backup(merged)  # it says that the restore has been undone
        create_backup(merged)
        assert leftovers(merged) == [], n
        for info in list_backups(merged)[:-1]:
            (merged / "backups" / f"{info.id}.tar.gz").unlink()
        restore_point_in_time(merged, FOREVER)
        assert database(merged) == new, n
    assert midst > 1


@needs_mounts
@pytest.mark.parametrize("goes", [False, True])
@pytest.mark.parametrize("where", ["tables/text", "tables/text/deep"])
def test_no_call_takes_half_a_restore_for_a_database_while_a_part_is_not_mounted(
    base: Path,
    mount: Callable[..., None],
    tmp_path: Path,
    database: ReadDatabase,
    run_traced: RunTraced,
    where: str,
    goes: bool,
) -> None:
    """As after a power cut, until somebody mounts it again, perhaps on a folder made anew."""
    (base / "tables" / "text" / "deep" / "er").mkdir(parents=True)
    (base / "tables" / "text" / "deep" / "er" / "leaf").write_text("of a tree")
    create_backup(base)
    new, refused = database(base), 0
    for n in range(16, 60, 5):
        copied = shutil.copytree(base, tmp_path / str(n) / ".reed", symlinks=True)
        place, kept = copied / where, tmp_path / f"kept{n}"
        place.rename(kept)
        place.mkdir()
        mount("--bind", kept, place)
        change(copied)
        old = database(copied)
        ended = run_traced("restore", copied, f"renameat:signal=SIGKILL:when={n}", "renameat")
        if ended.status == 0:
            break
        subprocess.run(["umount", place], check=True)
        if goes:
            place.rmdir()
        if not list(copied.glob(".reedbackup-commit-*")):
            continue  # nothing has been moved yet, or everything
        for call in (create_backup, lambda base: restore_point_in_time(base, FOREVER)):
            with pytest.raises(IoError, match=f"its part in {where} is not there: mount that"):
                call(copied)
        refused += 1
        place.mkdir(exist_ok=True)
        mount("--bind", kept, place)
        create_backup(copied)
        assert database(copied) in (old, new), n
        assert leftovers(copied) == [], n
    assert refused > 1
