"""What contract `ticket` promises of a database after a call that something happened to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.checks.expectations import (
    expect,
    expect_old_or_new,
    expect_same_tree,
    expect_that,
)
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.injection.sweeps.visiting import Aftermath
from pytest_reedbackup.views.base import live_tree, source_tree
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import TicketBackup


@dataclass(frozen=True)
class Backup:
    """A backup that was there before the call."""

    info: TicketBackup
    tree: Tree

    @property
    def timestamp(self) -> int:
        """Return the Unix second that restores it."""
        return self.info.timestamp


@dataclass(frozen=True)
class Scene:
    """A database before the call."""

    backups: Sequence[Backup]
    """Newest first; those that a create in the call prunes are left out."""
    live: Tree
    source: Tree
    now: int
    """The time of the call, in Unix seconds."""

    @property
    def later(self) -> int:
        """Return a time after that of the call."""
        return self.now + 1000

    @classmethod
    def read(cls, base: Path, backups: Sequence[Backup], now: int) -> Scene:
        """Read the database as it is."""
        return cls(backups, live_tree(base), source_tree(base), now)


@dataclass(frozen=True)
class Survival:
    """Holds what a call has left to the contract."""

    implementation: TicketImplementation
    scene: Scene

    def of_create(self, after: Aftermath) -> None:
        """Hold a killed create to create/power-cut, a successful one to create/durable."""
        expect_same_tree("what is no backup", source_tree(after.base), self.scene.source)
        listed = self._listed(after)
        if isinstance(after.answer, Answered):
            expect_that(
                after.answer.value in listed,
                "list_backups",
                expected=f"the backup that was reported, {after.answer.value}",
                found=listed,
            )
        ids = {backup.info.id for backup in self.scene.backups}
        is_new_listed = any(info.id not in ids for info in listed)
        newest = self.scene.live if is_new_listed else self.scene.backups[0].tree
        self._expect_restored(after, self.scene.later, newest)
        for backup in self.scene.backups:
            self._expect_restored(after, backup.timestamp, backup.tree)
        self._expect_no_debris(after)

    def of_restore(self, after: Aftermath, restored: Tree) -> None:
        """Hold a killed restore to restore/power-cut, a successful one to restore/durable."""
        self._listed(after)
        self._created(after)
        what, live = "tables/ and indices/ after the next call", live_tree(after.base)
        if isinstance(after.answer, Answered):
            expect_same_tree(what, live, restored)
        else:
            expect_old_or_new(what, live, self.scene.live, restored)
        for backup in self.scene.backups:
            self._expect_restored(after, backup.timestamp, backup.tree)

    def _listed(self, after: Aftermath) -> list[TicketBackup]:
        """Return the list, in which every earlier backup is as it was."""
        listed: list[TicketBackup] = value_of(
            after.process.list_backups(after.base), "list_backups"
        )
        earlier = [backup.info for backup in self.scene.backups]
        expect("the earlier backups in the list", [i for i in listed if i in earlier], earlier)
        return listed

    def _created(self, after: Aftermath) -> None:
        if self.implementation.clock.is_settable:
            self.implementation.clock.set(self.scene.later + 10)
        value_of(after.process.create_backup(after.base), "the next create_backup")

    def _expect_restored(self, after: Aftermath, target: int, tree: Tree) -> None:
        answer = after.process.restore_point_in_time(after.base, target)
        value_of(answer, f"the next restore, to {target}")
        expect_same_tree(f"tables/ and indices/ restored to {target}", live_tree(after.base), tree)

    def _expect_no_debris(self, after: Aftermath) -> None:
        """Hold the next create to leave nothing but backups."""
        self._created(after)
        listed = value_of(after.process.list_backups(after.base), "list_backups")
        names = sorted(child.name for child in (after.base / "backups").iterdir())
        expect("the files in backups/", names, sorted(f"{info.id}.tar.gz" for info in listed))
        before = {path.split("/")[0] for path in self.scene.source.entries} | {"backups"}
        expect("what is in the base", {child.name for child in after.base.iterdir()}, before)
