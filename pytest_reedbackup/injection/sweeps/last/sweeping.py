"""One call under contract `last`, to be swept in any way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.injection.sweeps.last.scene import Scene, last_scene
from pytest_reedbackup.injection.sweeps.stages import FolderStage
from pytest_reedbackup.injection.sweeps.survival import Aftermath, Swept
from pytest_reedbackup.injection.sweeps.sweeping import Sweeps


@dataclass(frozen=True)
class LastSweeping(Sweeps[Swept]):
    """A create or a restore on one database."""

    implementation: LastImplementation
    make_call: Callable[[LastImplementation, Scene], Swept]

    def swept(self, base: Path) -> Swept:
        """Build the scene, and return the call on it."""
        return self.make_call(self.implementation, last_scene(self.implementation, base))

    def stands_undisturbed(self) -> Self:
        """Return the same. Raise BrokenPromise where the call falls short with nothing in its way.

        Such a call would fall short at every point, and show a defect that it need not have.
        """
        with self.prepared() as (folder, base, swept, reserve):
            stage = FolderStage(base, folder / "stage")
            with stage.used() as copy, reserve.process() as process:
                answer = swept.make(process, copy)
                swept.expect_as_answered(Aftermath(copy, answer, process))
        return self
