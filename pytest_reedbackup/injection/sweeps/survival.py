"""What contract `ticket` promises of a database after a call that something happened to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.checks.expectations import (
    expect,
    expect_old_or_new,
    expect_same_tree,
    expect_that,
)
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.implementations.answers import Answer, Answered, value_of
from pytest_reedbackup.injection.sweeps.scenes import LATER, Scene
from pytest_reedbackup.views.base import backups_listing, live_tree, source_tree
from pytest_reedbackup.views.folders import Whole, before_call, with_restored
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import TicketBackup

LIVE = "tables/ and indices/"


class Caller(Protocol):
    """What the calls are made on: a process of the implementation, or this one."""

    def create_backup(self, base: Path) -> Answer:
        """Call create_backup."""
        ...

    def list_backups(self, base: Path) -> Answer:
        """Call list_backups."""
        ...

    def restore_point_in_time(self, base: Path, target: int) -> Answer:
        """Call restore_point_in_time."""
        ...


@dataclass(frozen=True)
class Aftermath:
    """A call to which something happened, and one of the databases that it may have left."""

    base: Path
    answer: Answer | None
    """None where the process ended before it answered."""
    process: Caller
    """A process of the implementation to which nothing happens any more."""


class Swept(Protocol):
    """A call, and what is promised of what it leaves: the expect_… raise BrokenPromise."""

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave."""
        ...

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call."""
        ...

    def expect_right_after(self, base: Path, answer: Answer) -> None:
        """Hold what is there when it has just answered to that."""
        ...

    def expect_survived(self, after: Aftermath) -> None:
        """Hold what a power cut or a kill left to the contract, in the call or after its answer."""
        ...

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the next calls to what was answered."""
        ...

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after those next calls to the contract, too."""
        ...


class TicketSwept(Swept, Protocol):
    """A call under contract `ticket`, after which it is known what is there."""

    def live_after(self, answer: Answer) -> Tree:
        """Return what tables/ and indices/ hold, for good, once it has answered."""
        ...

    def expect_listed(self, after: Aftermath) -> None:
        """Hold the next list to what was answered."""
        ...

    def expect_no_debris(self, after: Aftermath) -> None:
        """Hold the calls so far to have left nothing but backups."""
        ...


@dataclass(frozen=True)
class _Calls:
    """What a create and a restore have in common."""

    implementation: TicketImplementation
    scene: Scene

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave."""
        return [before_call(self.scene.base)]

    def live_after(self, answer: Answer) -> Tree:
        """Return what tables/ and indices/ hold, for good, once it has answered."""
        raise NotImplementedError

    def expect_right_after(self, base: Path, answer: Answer) -> None:
        """Hold the trees to what was just answered."""
        what = f"{LIVE} right after {_in_words(answer)}"
        expect_same_tree(what, live_tree(base), self.live_after(answer))

    def listed(self, after: Aftermath) -> list[TicketBackup]:
        """Return the list, in which each backup is as it was that no create may have pruned."""
        listed: list[TicketBackup] = value_of(
            after.process.list_backups(after.base), "list_backups"
        )
        before = {info.id for info in self.scene.listed}
        new = [info for info in listed if info.id not in before]
        kept = self.scene.listed[: RETENTION - len(new)]
        lost = [info for info in kept if info not in listed]
        expect_that(
            not lost,
            "the earlier backups in the list",
            expected=f"{', '.join(info.id for info in kept)}, each as it was",
            found=f"{', '.join(info.id for info in listed)}; lost or changed: {lost}",
        )
        return listed

    def next_create(self, after: Aftermath) -> None:
        """Have the next create succeed."""
        self.scene.set_clock(self.implementation.clock, turn=1)
        value_of(after.process.create_backup(after.base), "the next create_backup")

    def expect_backups(self, after: Aftermath) -> None:
        """Raise BrokenPromise unless each backup that no create prunes restores."""
        for backup in self.scene.backups:
            expect_restored(after, backup.timestamp, backup.tree)

    def expect_no_debris(self, after: Aftermath) -> None:
        """Raise BrokenPromise unless a successful create has left nothing but backups."""
        listed = value_of(after.process.list_backups(after.base), "list_backups")
        archives = {f"{info.id}.tar.gz" for info in listed}
        # What it keeps there beside archives was there before: a lock, a catalogue.
        own = set(backups_listing(self.scene.base)) - {f"{i.id}.tar.gz" for i in self.scene.listed}
        names = [name for name in backups_listing(after.base) if name not in own]
        expect("the files in backups/", names, sorted(archives))
        before = {path.split("/")[0] for path in self.scene.source.entries} | {"backups"}
        expect("what is in the base", {child.name for child in after.base.iterdir()}, before)


class Create(_Calls):
    """A create_backup, and what is promised of it."""

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call."""
        self.scene.set_clock(self.implementation.clock)
        return process.create_backup(base)

    def live_after(self, answer: Answer) -> Tree:
        """Return what was there: a create leaves it alone."""
        return self.scene.live

    def expect_survived(self, after: Aftermath) -> None:
        """Hold it to create/power-cut, and where it was answered to create/durable."""
        is_new = bool(self._new(after))
        newest = self.scene.live if is_new else self.scene.backups[0].tree
        expect_restored(after, LATER, newest)
        if self.scene.is_full and not is_new:
            expect_restored(after, self.scene.oldest.timestamp, self.scene.oldest.tree)
        self.expect_backups(after)
        self.next_create(after)
        self.expect_no_debris(after)

    def expect_listed(self, after: Aftermath) -> None:
        """Hold the next list to what was answered."""
        new = self._new(after)
        if not isinstance(after.answer, Answered):
            expect("what is listed beside the earlier backups, after an error", new, [])

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the next list to what was answered, and have the next create succeed."""
        self.expect_listed(after)
        self.next_create(after)
        if not isinstance(after.answer, Answered):
            new = self._new(after)
            expect("how many backups came of the next create, after an error", len(new), 1)

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after that next create to the contract."""
        self._new(after)
        if isinstance(after.answer, Answered):
            expect_restored(after, after.answer.value.timestamp, self.scene.live)
        self.expect_no_debris(after)
        expect_restored(after, LATER, self.scene.live)
        self.expect_backups(after)

    def _new(self, after: Aftermath) -> list[TicketBackup]:
        """Return what is listed beside the earlier backups: the reported one, if one was.

        What is no backup must be as before, too.
        """
        self._expect_same_source(after)
        listed = self.listed(after)
        expect_reported(after, listed)
        return [info for info in listed if info not in self.scene.listed]

    def _expect_same_source(self, after: Aftermath) -> None:
        before = self.scene.source
        names = {path.split("/")[0] for path in before.entries}
        # A temporary file in the base is debris only once the next create has succeeded.
        found = source_tree(after.base)
        kept = {path: e for path, e in found.entries.items() if path.split("/")[0] in names}
        expect_same_tree("what is no backup", Tree(kept), before)


class Restore(_Calls):
    """A restore_point_in_time to the scene's older backup, and what is promised of it."""

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call."""
        self.scene.set_clock(self.implementation.clock)
        return process.restore_point_in_time(base, self.scene.restored.timestamp)

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave: as before, and restored."""
        before = before_call(self.scene.base)
        return [before, with_restored(before, self.scene.restored.tree)]

    def live_after(self, answer: Answer) -> Tree:
        """Return the restored tree after a success, what was there after an error."""
        return self.scene.restored.tree if isinstance(answer, Answered) else self.scene.live

    def expect_survived(self, after: Aftermath) -> None:
        """Hold it to restore/power-cut, and where it was answered to restore/durable."""
        self.listed(after)
        self.next_create(after)
        what, live = f"{LIVE} after the next call", live_tree(after.base)
        if isinstance(after.answer, Answered):
            expect_same_tree(what, live, self.scene.restored.tree)
        else:
            expect_old_or_new(what, live, self.scene.live, self.scene.restored.tree)
        self.expect_backups(after)

    def expect_listed(self, after: Aftermath) -> None:
        """Hold the next list to be as before."""
        expect("the list of backups", self.listed(after), self.scene.listed)

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the trees after the next calls to what was answered."""
        assert after.answer is not None
        self.expect_listed(after)
        self.next_create(after)
        what = f"{LIVE} after {_in_words(after.answer)} and the next create_backup"
        expect_same_tree(what, live_tree(after.base), self.live_after(after.answer))

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after that next create to the contract."""
        self.listed(after)
        self.expect_no_debris(after)
        self.expect_backups(after)


def expect_restored(after: Aftermath, target: int, tree: Tree) -> None:
    """Raise BrokenPromise unless a restore to `target` succeeds and gives `tree`."""
    answer = after.process.restore_point_in_time(after.base, target)
    value_of(answer, f"the next restore, to {target}")
    expect_same_tree(f"{LIVE} restored to {target}", live_tree(after.base), tree)


def expect_reported(after: Aftermath, listed: Sequence[object]) -> None:
    """Raise BrokenPromise where a backup was reported that is not listed."""
    if isinstance(after.answer, Answered):
        reported = f"the backup that was reported, {after.answer.value}"
        is_listed = after.answer.value in listed
        expect_that(is_listed, "list_backups", expected=reported, found=listed)


def _in_words(answer: Answer) -> str:
    return "a success" if isinstance(answer, Answered) else str(answer)
