"""Signals and errors at every system call that can change the disk, once and for good.

An interrupt counts as a kill: all old or all new by the next call. An error says
the truth: all is as before, or it names what the next call will do.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from fixture_types import CopyBase, ReadDatabase, Tree
from reference.faults.traced import Restored, Run, RunTraced, assert_sound, each, leftovers

from reedbase_backup import create_backup, list_backups, restore_point_in_time
from reedbase_backup.swap.transaction import TAKEN_BACK, UNKNOWN

pytestmark = pytest.mark.slow

SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
ERRORS = ("EIO", "ENOSPC", "EACCES", "EPERM", "EMFILE", "EDQUOT", "EINTR", "EROFS")
BACKUPS = 33
SAMPLE = 24


SCOPES = [
    pytest.param(SAMPLE, id="sample"),
    pytest.param(None, id="full", marks=pytest.mark.campaign),
]


@dataclass(frozen=True)
class Fault:
    """What happens at one of a run's system calls."""

    name: str
    n: int
    what: str

    @property
    def inject(self) -> str:
        return f"{self.name}:{self.what.format(n=self.n)}"


def faults(run: Run, whats: list[str], sample: int | None) -> list[tuple[Fault, int]]:
    """All of them, or so many spread evenly over kinds and places."""
    found = [Fault(name, n, what) for (name, n), what in product(run.points, whats)]
    stride = 1 if sample is None else max(1, len(found) // sample)
    # A stride that shares no factor with the number of kinds comes to all of them.
    while sample is not None and any(stride % k == 0 and len(whats) % k == 0 for k in range(2, 20)):
        stride += 1
    return [(fault, number) for number, fault in enumerate(found[::stride])]


@pytest.fixture
def crowded(small: Path) -> Path:
    """More backups than stay, so that a create prunes."""
    backups = small / "backups"
    for second in range(1001, 1000 + BACKUPS):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    return small


def kinds_of(run: Run) -> set[str]:
    return {name for name, _ in run.points}


@pytest.mark.parametrize("sample", SCOPES)
def test_a_restore_interrupted_at_any_call_is_all_old_or_all_new_by_the_next(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    sample: int | None,
) -> None:
    old, new, run = restored
    assert {"renameat", "linkat", "unlinkat", "fsync", "utimensat", "mkdirat"} <= kinds_of(run)

    def check(base: Path, fault: Fault, _: int) -> None:
        ended = run_traced("restore", base, fault.inject)
        assert ended.status != 1 or "KeyboardInterrupt" in ended.stderr, (fault, ended)
        repeated = clone(base, f"{base.name} repeated")
        create_backup(base)
        assert database(base) in (old, new), fault
        assert leftovers(base) == [], fault
        restore_point_in_time(repeated, 1000)
        assert database(repeated) == new, fault
        assert leftovers(repeated) == [], fault
        shutil.rmtree(repeated)

    each(
        faults(run, [f"signal={name}:when={{n}}" for name in SIGNALS], sample), clone, small, check
    )


@pytest.mark.parametrize("sample", SCOPES)
def test_a_create_interrupted_at_any_call_loses_no_backup_that_is_to_stay(
    crowded: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    sample: int | None,
) -> None:
    before, old = database(crowded), [info.id for info in list_backups(crowded)]
    run = run_traced("create", clone(crowded, "undisturbed"))
    assert {"fsync", "link", "rename", "unlink", "write"} <= kinds_of(run)

    def check(base: Path, fault: Fault, _: int) -> None:
        run_traced("create", base, fault.inject)
        kept = [info.id for info in list_backups(base)]
        assert set(old[:31]) <= set(kept), fault
        assert_sound(base)
        create_backup(base)
        assert len(list_backups(base)) == 32, fault
        assert leftovers(base) == [], fault
        assert database(base) == before, fault

    whats = [f"signal={name}:when={{n}}" for name in SIGNALS]
    each(faults(run, whats, sample), clone, crowded, check)


def whats_that_fail(when: str) -> list[str]:
    # Python takes a call up again that was interrupted; without end, that would be.
    return [f"error={name}:when={when}" for name in ERRORS if (name, when) != ("EINTR", "{n}+")]


@pytest.mark.parametrize("sample", SCOPES)
@pytest.mark.parametrize("when", ["{n}", "{n}+"], ids=["once", "for good"])
def test_a_restore_that_fails_at_any_call_says_the_truth(
    small: Path,
    clone: CopyBase,
    restored: Restored,
    database: ReadDatabase,
    run_traced: RunTraced,
    when: str,
    sample: int | None,
) -> None:
    old, new, run = restored

    def check(base: Path, fault: Fault, _: int) -> None:
        ended = run_traced("restore", base, fault.inject)
        now = database(base)
        create_backup(base)
        then = database(base)
        assert leftovers(base) == [], fault
        if ended.status == 0:
            assert now == then == new, fault
        elif fault.name == "write" and not ended.stderr:
            # What writes the message fails, too.
            assert then in (old, new), fault
        else:
            assert_is_true(ended, now, then, old, fault)

    each(faults(run, whats_that_fail(when), sample), clone, small, check)


def assert_is_true(ended: Run, now: Tree, then: Tree, old: Tree, fault: Fault) -> None:
    """V6: whichever kind of call fails, and for how long: by the next call all is as before."""
    assert ended.status == 1, (fault, ended)
    assert re.match(r"(IoError|PermissionDenied): [^\n]+\n$", ended.stderr), (fault, ended.stderr)
    assert then == old, (fault, ended.stderr)
    if TAKEN_BACK not in ended.stderr and UNKNOWN not in ended.stderr:
        assert now == old, (fault, ended.stderr)


@pytest.mark.parametrize("sample", SCOPES)
@pytest.mark.parametrize("when", ["{n}", "{n}+"], ids=["once", "for good"])
def test_a_create_that_fails_at_any_call_leaves_every_older_backup(
    crowded: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_traced: RunTraced,
    when: str,
    sample: int | None,
) -> None:
    before, old = database(crowded), {info.id for info in list_backups(crowded)}
    run = run_traced("create", clone(crowded, "undisturbed"))

    def check(base: Path, fault: Fault, _: int) -> None:
        ended = run_traced("create", base, fault.inject)
        now = {info.id for info in list_backups(base)}
        assert database(base) == before, fault
        if ended.status == 0:
            assert len(now) == 32, (fault, now)
            assert len(now - old) == 1, (fault, now)
        else:
            assert ended.status == 1, (fault, ended)
            if "brings back" not in ended.stderr:
                assert old <= now, (fault, ended.stderr, now)
            assert now <= old or "could not be removed" in ended.stderr, (fault, ended.stderr)
            restore_point_in_time(base, 1000)
            assert old <= {info.id for info in list_backups(base)}, fault
        assert_sound(base)
        create_backup(base)
        assert len(list_backups(base)) == 32, fault
        assert leftovers(base) == [], fault

    each(faults(run, whats_that_fail(when), sample), clone, crowded, check)
