"""What a row's turns ask of whoever has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from pytest_reedbackup.bench.rows import Job


class Contestant(ABC):
    """Does jobs on `base`, which is its own, and says what each took."""

    name: str
    is_floor = False
    """Whether it does less than the job: what nobody who does it can beat."""

    def __init__(self, base: Path) -> None:
        self.base = base

    @property
    def steps(self) -> Mapping[str, float]:
        """What each part of its last turn took, where it says that."""
        return {}

    def forget(self) -> None:  # noqa: B027 - what keeps no backups has none to forget
        """Have there be no backup yet; not timed."""

    @abstractmethod
    def run(self, job: Job) -> float:
        """Do it, and return the seconds that it took, or the MiB of memory."""

    def close(self) -> None:  # noqa: B027 - what runs only while it has a turn has ended
        """Have nothing of it run any more."""
