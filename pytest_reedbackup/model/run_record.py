"""What is known of a run before any case has run."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.target import Target, find_target
from reedbase_backup import __version__
from reedbase_backup.adapter.protocol import Contract


@dataclass(frozen=True)
class RunRecord:
    """One run: when, where, how it was asked for, and what it holds against what."""

    kit: str
    """The version of pytest-reedbackup."""
    started: str
    """ISO 8601, UTC."""
    arguments: Sequence[str]
    machine: Mapping[str, str]
    seed: int
    examples: int
    targets: Sequence[Target]
    divergences: Sequence[Divergence]
    """Those that are declared."""

    @classmethod
    def begin(
        cls,
        arguments: Sequence[str],
        *,
        seed: int,
        examples: int,
        targets: Sequence[Target] = (),
        divergences: Sequence[Divergence] = (),
    ) -> RunRecord:
        """Return the record of a run that starts now, on this machine."""
        return cls(
            kit=__version__,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            arguments=tuple(arguments),
            machine=machine(),
            seed=seed,
            examples=examples,
            targets=targets,
            divergences=divergences,
        )

    def target(self, implementation: str, contract: Contract) -> Target:
        """Return the target of an implementation, as given, and a contract."""
        return find_target(self.targets, implementation, contract)


def machine() -> dict[str, str]:
    """Return what figures depend on."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }
