"""A call held to what its implementation claims: to lose nothing, or no more than the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.sweeps.last.create import SafeCreate
from pytest_reedbackup.injection.sweeps.last.restore import SafeRestore
from pytest_reedbackup.injection.sweeps.last.scene import Scene, expect_earlier_kept
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Caller, Swept
from pytest_reedbackup.views.folders import Whole


@dataclass(frozen=True)
class Claimed:
    """A call that must cost nothing of what was there earlier, which the baseline keeps, too.

    An implementation that replaces files whole is held to all that its calls promise.
    """

    safe: Swept
    scene: Scene

    def wholes(self) -> Sequence[Whole]:
        """Return the databases that it may leave."""
        return self.safe.wholes()

    def make(self, process: Caller, base: Path) -> Answer:
        """Make the call."""
        return self.safe.make(process, base)

    def expect_right_after(self, base: Path, answer: Answer) -> None:
        """Hold what is there to what was answered."""
        if self.scene.replaces_files:
            self.safe.expect_right_after(base, answer)
        else:
            expect_earlier_kept(base, self.scene)

    def expect_survived(self, after: Aftermath) -> None:
        """Hold what a power cut or a kill left."""
        if self.scene.replaces_files:
            self.safe.expect_survived(after)
        else:
            expect_earlier_kept(after.base, self.scene)

    def expect_as_answered(self, after: Aftermath) -> None:
        """Hold the next calls to what was answered."""
        if self.scene.replaces_files:
            self.safe.expect_as_answered(after)

    def expect_well(self, after: Aftermath) -> None:
        """Hold what is there after those."""
        expect_earlier_kept(after.base, self.scene)


def claimed_restore(implementation: LastImplementation, scene: Scene) -> Claimed:
    """Return a restore, held to what is claimed."""
    return Claimed(SafeRestore(implementation, scene), scene)


def claimed_create(implementation: LastImplementation, scene: Scene) -> Claimed:
    """Return a create, held to what is claimed."""
    return Claimed(SafeCreate(implementation, scene), scene)
