"""Whatever fails as a backup takes over from the one before: it is true, or all is as it was.

The suite's sweeps work on copies of a database, and from a copied archive nothing is taken over.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_types import CopyBase, ReadDatabase
from reference.create.reuse import assert_equals_reading, files_read, wait_a_tick
from reference.faults.traced import (
    CALLS,
    EVERY,
    LOOKS,
    RunTraced,
    assert_failed_cleanly,
    each,
    leftovers,
)
from reference.restore.live import rewrite

from reedbase_backup import create_backup, list_backups

pytestmark = pytest.mark.slow

ALL_CALLS = ",".join((CALLS, *LOOKS.values()))


def back_up(base: Path) -> None:
    """Make a backup that the next can take over from, all but one file."""
    wait_a_tick()
    create_backup(base)
    rewrite(base / "tables" / "t" / "current.csv")
    wait_a_tick()


def test_the_scene_is_one_in_which_files_are_taken_over(small: Path) -> None:
    back_up(small)
    with files_read() as names:
        create_backup(small)
    assert names == ["tables/t/current.csv"]


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("what", ["error=EIO", "error=EMFILE", "signal=SIGKILL"])
def test_a_fault_at_any_call_of_a_backup_that_takes_over(
    small: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    what: str,
    every: int,
) -> None:
    undisturbed = clone(small, "undisturbed")
    back_up(undisturbed)
    run = run_traced("create", undisturbed, calls=ALL_CALLS)
    assert run.status == 0
    assert {"lseek", "read"} <= {name for name, _ in run.points}  # of what is taken over
    points = [(point, n) for n, point in enumerate(run.points)][::every]

    def check(base: Path, point: tuple[str, int], _: int) -> None:
        back_up(base)
        before, old = database(base), list_backups(base)
        name, n = point
        ended = run_traced("create", base, f"{name}:{what}:when={n}", ALL_CALLS)
        now = list_backups(base)
        assert [info for info in now if info in old] == old, point
        if ended.status == 0:
            assert len(now) == len(old) + 1, point
        elif ended.status == 1:
            assert_failed_cleanly(ended)
            assert now == old, point
        for info in now[: len(now) - len(old)]:
            assert_equals_reading(base, info)
        assert_equals_reading(base, create_backup(base))
        assert database(base) == before, point
        assert leftovers(base) == [], point

    each(points, clone, small, check)
