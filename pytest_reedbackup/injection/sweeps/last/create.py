"""A create under contract `last`, to which something happened, and what is promised of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.expectations import expect, expect_same_tree
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases.archives import read_folder
from pytest_reedbackup.implementations.answers import Answer, value_of
from pytest_reedbackup.implementations.tar_failures import past_tar_failures
from pytest_reedbackup.injection.sweeps.last.scene import Scene, expect_earlier_kept
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Caller, expect_reported
from pytest_reedbackup.views.base import backups_listing
from pytest_reedbackup.views.folders import Whole, before_call
from pytest_reedbackup.views.tree import ROOT, Tree

_LATER = 1000


@dataclass(frozen=True)
class SafeCreate:
    """A create whose backup is whole where it is listed: more than the baseline keeps (D2, D13)."""

    implementation: LastImplementation
    scene: Scene

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave."""
        return [before_call(self.scene.base)]

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call, again where tar failed (D1)."""
        self._set_clock(self.scene.now)

        def take_back() -> None:
            for name in backups_listing(base):
                if f"backups/{name}" not in self.scene.before.files:
                    (base / "backups" / name).unlink()

        return past_tar_failures(lambda: process.create_backup(base), take_back)

    def expect_right_after(self, base: Path, answer: Answer) -> None:
        """Hold what is no backup to be what it was."""
        expect_earlier_kept(base, self.scene)

    def expect_survived(self, after: Aftermath) -> None:
        """Hold what a power cut or a kill left: whole backups, and the reported one among them."""
        expect_earlier_kept(after.base, self.scene)
        listed = self._whole_backups(after)
        expect_reported(after, listed)
        self._set_clock(self.scene.now + _LATER)
        value_of(after.process.create_backup(after.base), "the next create_backup")
        names = sorted(Path(info.path).name for info in self._whole_backups(after))
        expect("the files in backups/", backups_listing(after.base), names)

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the next calls to what was answered."""
        self.expect_survived(after)

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after those."""
        expect_earlier_kept(after.base, self.scene)

    def _whole_backups(self, after: Aftermath) -> list[Any]:
        """Return the list, of which each new backup must hold the whole base."""
        listed: list[Any] = value_of(after.process.list_backups(after.base), "list_backups")
        for info in listed:
            path = Path(info.path)
            if f"backups/{path.name}" not in self.scene.before.files:
                name = after.base.name
                archived = read_folder(path, name)
                own = [each for each in archived.entries if each.startswith("backups")]
                held = archived.without((ROOT, *own))
                wanted = Tree.read(after.base, exclude=(ROOT, "backups"))
                expect_same_tree(f"what {path.name}, which is listed, holds", held, wanted)
        return listed

    def _set_clock(self, seconds: int) -> None:
        clock = self.implementation.clock
        if clock.is_settable:
            clock.set(seconds)
