"""Creates that stand still while writers write: who reads outside the lock is seen each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from injection.conftest import SweepOf
from mutants.conforming import Conforming
from mutants.model import Entry

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.sweeps.halted.hot import sweep_hot
from pytest_reedbackup.injection.writers import STEPS, create_table, steps_of_a_write, torn
from pytest_reedbackup.model.sweep import Sweep

WRITTEN = ("a_written", "z_written")
# Enough for the visit that comes first, which is to be enough.
QUICK_SECS = 0.1


class LetsGoBeforeTheLog(Conforming):
    """The log, which comes last, is read when the lock is free again."""

    def read_table(self, path: Path, name: str) -> Iterator[Entry]:
        with self.table_locked(path):
            entries = list(super().read_table(path, name))
        for entry in entries:
            late = entry.name == f"{name}/version.log"
            yield self.entry(path / "version.log", entry.name) if late else entry


class LooksAtLocks(Conforming):
    """A lock is waited for and let go before the table is read."""

    @contextmanager
    def table_locked(self, table: Path) -> Iterator[bool]:
        with super().table_locked(table):
            pass
        yield True


Swept = Callable[..., Sweep]


@pytest.fixture
def swept(tmp_path: Path, sweep_of: SweepOf) -> Swept:
    """Sweeps over the creates of an implementation beside writers, for so many seconds."""

    def sweep(option: str, secs: float | None) -> Sweep:
        base = tmp_path / "prepared" / ".reed"
        build(DatabaseSpec(tables=1, rows=4), base)
        for name in WRITTEN:
            create_table(base, name)
        return sweep_of(option, secs, partial(sweep_hot, prepared=base, written=WRITTEN))

    return sweep


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LooksAtLocks", "LetsGoBeforeTheLog"])
def test_who_reads_outside_the_lock_is_seen_by_the_first_visit(swept: Swept, name: str) -> None:
    sweep = swept(f"{__name__}:{name}", QUICK_SECS)
    assert sweep.first_broken is not None
    assert sweep.first_broken.point == "all calls"
    assert (Path(sweep.first_broken.kept) / ".reed" / "backups").is_dir()


@pytest.mark.campaign
def test_who_reads_outside_the_lock_is_seen_where_it_does(swept: Swept) -> None:
    sweep = swept(f"{__name__}:LetsGoBeforeTheLog", 20.0)
    points = [result for result in sweep.broken if result.point != "all calls"]
    assert points
    assert any("--- " in line for line in points[0].trace)


@pytest.mark.slow
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_holds_the_lock_while_it_reads_is_not_accused(swept: Swept, option: str) -> None:
    sweep = swept(option, 6.0)
    assert sweep.visited > 1
    assert not sweep.broken


@pytest.mark.campaign
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_holds_the_lock_while_it_reads_is_accused_nowhere(swept: Swept, option: str) -> None:
    sweep = swept(option, None)
    assert not sweep.broken
    assert sweep.visited >= sweep.points * 0.9


def test_each_step_but_the_first_and_the_last_of_a_write_is_of_no_version(tmp_path: Path) -> None:
    create_table(tmp_path, "table")
    table = tmp_path / "tables" / "table"

    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in table.iterdir()}

    steps = [(step, bool(torn(files()))) for step in steps_of_a_write(table)]
    assert steps == [(step, step not in (STEPS[0], STEPS[-1])) for step in STEPS]
    writing = steps_of_a_write(table)
    next(writing)
    with pytest.raises(BlockingIOError):
        next(steps_of_a_write(table, waits=False))
