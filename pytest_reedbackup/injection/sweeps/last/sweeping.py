"""One call under contract `last`, to be swept in any way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.injection.sweeps.last.scene import Scene, last_scene
from pytest_reedbackup.injection.sweeps.survival import Swept
from pytest_reedbackup.injection.sweeps.sweeping import Sweeps


@dataclass(frozen=True)
class LastSweeping(Sweeps[Swept]):
    """A create or a restore on one database."""

    implementation: LastImplementation
    make_call: Callable[[LastImplementation, Scene], Swept]

    def swept(self, base: Path) -> Swept:
        """Build the scene, and return the call on it."""
        return self.make_call(self.implementation, last_scene(self.implementation, base))
