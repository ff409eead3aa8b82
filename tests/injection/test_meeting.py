"""Two processes of which one stands still: who locks too little or too late is seen each time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from injection.conftest import SweepOf
from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import BackupInfo, RestoreReport
from mutants.tar_gz import ROOTS

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.sweeps.halted.meeting import NEW, OLD, Bases, sweep_meetings
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.views.base import live_tree

PAIRS = {
    *("create+restore", "restore+create", "restore+restore of the later", "restore+list"),
    *("list+restore", "create+create", "create+list", "list+create"),
}
# So that each pair is visited at several points, on a busy machine too.
QUICK_SECS = 25.0


class RestoresUnlocked(Conforming):
    """A create locks the base, and a restore, which overwrites the live tree, does not."""

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        base = Path(base_path)
        entries = self.read(self.pick(self.archives(base), target_timestamp))
        staging = base / f".staging-{os.getpid()}"
        self.write_entries(staging, entries)
        for root in ROOTS:
            self.overwrite(base / root, staging / root)
        remove(staging)
        return self.report(entries, 0)


class NamesBeforeItLocks(Conforming):
    """The name of an archive is chosen before the base is locked, and whoever has it is gone."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        path = self.free_name(base, self.seconds(now_ns))
        with self.locked(base):
            self.require_tables(base)
            partial = path.with_name("unfinished")
            self.write_archive(partial, self.compress(self.pack(self.source(base))))
            made = self.parse(partial.rename(path))
            assert made is not None
            self.prune(base, made)
            return self.info_of(made)


Swept = Callable[..., Sweep]


@pytest.fixture
def swept(tmp_path: Path, sweep_of: SweepOf) -> Swept:
    """Sweeps over the meetings of two processes of an implementation, for so many seconds."""

    def meetings(sweeper: Sweeper, implementation: TicketImplementation) -> None:
        implementation.clock.set(1_700_000_000)
        sweep_meetings(sweeper, implementation, _bases(tmp_path))

    return lambda option, secs: sweep_of(option, secs, meetings)


def _bases(folder: Path) -> Bases:
    small, full = folder / "small" / ".reed", folder / "full" / ".reed"
    build(DatabaseSpec(tables=2, rows=4), small)
    (small / "indices").mkdir()
    first = live_tree(small)
    pack(small, small / "backups" / f"{OLD}.tar.gz")
    change_everything(small)
    pack(small, small / "backups" / f"{NEW}.tar.gz")
    full.parent.mkdir()
    clone_tree(small, full)
    old = (small / "backups" / f"{OLD}.tar.gz").read_bytes()
    for number in range(30):
        (full / "backups" / f"{1_000_000 + number}.tar.gz").write_bytes(old)
    return Bases(small, full, (first, live_tree(small)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("RestoresUnlocked", "restore+create"),
        ("NamesBeforeItLocks", "create+create"),
    ],
)
def test_who_works_without_the_lock_is_seen(swept: Swept, name: str, pair: str) -> None:
    sweep = swept(f"{__name__}:{name}", QUICK_SECS)
    assert pair in {result.row for result in sweep.broken}
    assert sweep.first_broken is not None
    assert (Path(sweep.first_broken.kept) / ".reed" / "tables").is_dir()
    assert any(line.startswith("--- ") for line in sweep.first_broken.trace)


@pytest.mark.campaign
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_locks_all_that_it_does_is_not_accused(swept: Swept, option: str) -> None:
    sweep = swept(option, QUICK_SECS)
    assert not sweep.broken
    assert set(sweep.rows) == PAIRS == {result.row for result in sweep.results}


@pytest.mark.campaign
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_locks_all_that_it_does_is_accused_nowhere(swept: Swept, option: str) -> None:
    sweep = swept(option, None)
    assert not sweep.broken
    assert sweep.visited >= sweep.points * 0.9
