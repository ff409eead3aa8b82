"""Killed restores under contract `ticket`: all of the old tree or all of the new one.

By the clock, which needs no tool; the sweeps kill at each system call.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_old_or_new
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.traced.kills import Restore, restore_killed_after
from pytest_reedbackup.model.case import case
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.tree import Tree

KILLS = 8


@dataclass(frozen=True)
class Scene:
    """A base whose backup differs from its live trees in every way."""

    base: Path
    target: int
    old: Tree
    new: Tree

    def victim(self, name: str) -> Restore:
        """The restore of a copy of the base."""
        copy = self.base.parent / name / ".reed"
        copy.parent.mkdir()
        clone_tree(self.base, copy)
        return Restore(copy, self.target)


@case(
    "ticket/restore/atomic",
    "Killed at any moment, restore leaves all of the old tree or all of the new one.",
)
def test_a_killed_restore_leaves_no_mixture(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    scene = _scene(reedbackup, reedbackup_make_db)
    took_secs = min(_restore_secs(reedbackup, scene, f"timed {turn}") for turn in range(3))
    killed = 0
    with Reserve(reedbackup) as reserve:
        for kill in range(KILLS):
            victim = scene.victim(f"victim {kill}")
            # From the very start to a little past the end.
            secs = took_secs * 1.2 * (kill + 1) / KILLS
            with reserve.process() as process:
                killed += restore_killed_after(process, victim, secs) is None
            _expect_old_or_new(reedbackup, scene, victim, f"{secs * 1000:.1f} ms after the call")
    if not killed:
        sentence = f"each of {KILLS} restores was over before it was to be killed"
        raise MissingCapability("kills in time", sentence, tool=True)


def _scene(reedbackup: TicketImplementation, make_database: MakeDatabase) -> Scene:
    base = make_database(DatabaseSpec(tables=6, rows=60, versions=4, indices=3))
    new = live_tree(base)
    target = reedbackup.created(base).timestamp
    change_everything(base)
    return Scene(base, target, live_tree(base), new)


def _restore_secs(reedbackup: TicketImplementation, scene: Scene, name: str) -> float:
    """How long an undisturbed restore takes; what it says of that itself is not relied on."""
    restore = scene.victim(name)
    started = time.perf_counter()
    reedbackup.restore_point_in_time(restore.base, restore.target)
    took_secs = time.perf_counter() - started
    remove_tree(restore.base.parent)
    return took_secs


def _expect_old_or_new(
    reedbackup: TicketImplementation, scene: Scene, victim: Restore, when: str
) -> None:
    """After the next call, whichever it is, the trees are one or the other."""
    reedbackup.listed(victim.base)
    reedbackup.clock.advance() if reedbackup.clock.is_settable else None
    reedbackup.created(victim.base)
    what = f"tables/ and indices/ after a restore that was killed {when}, and the next call"
    expect_old_or_new(what, live_tree(victim.base), scene.old, scene.new)
    remove_tree(victim.base.parent)
