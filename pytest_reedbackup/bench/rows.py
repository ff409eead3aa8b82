"""What a row of the benchmark is: a job, what it is done on, and how fast it is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pytest_reedbackup.databases.spec import Spec

Change = Callable[[Path, int], None]
"""Changes a database before a turn of this number; not timed."""

LOOKS: Sequence[int] = (3, 5, 8, 12, 16)
"""After how many turns it is looked at whether they have said enough."""


class Job(StrEnum):
    """What is measured."""

    CREATE = "create"
    RESTORE = "restore"
    VERIFY = "verify"
    LIST = "list"
    NEWEST_VERSION = "newest version"
    """A restore of contract `last`, to the newest of a table's versions."""
    START = "start"
    """The command line's, from its start to its end."""
    CREATE_MEMORY = "memory of create"
    RESTORE_MEMORY = "memory of restore"
    SUITE = "suite"
    SUITE_AGAIN = "suite again"
    SUITE_AGAIN_IN_TWO = "suite again, in two processes"
    SUITE_WITH_FAULTS = "suite with quick sweeps of faults"


_MEMORY = (Job.CREATE_MEMORY, Job.RESTORE_MEMORY)
_SUITES = (Job.SUITE, Job.SUITE_AGAIN, Job.SUITE_AGAIN_IN_TWO, Job.SUITE_WITH_FAULTS)


def unchanged(base: Path, turn: int) -> None:
    """Leave a database as it is."""


@dataclass(frozen=True)
class Row:
    """A job, what it is done on, and what it is to come up to."""

    id: str
    what: str
    job: Job
    spec: Spec
    peers: Mapping[str, float | None] = field(default_factory=dict)
    """By peer: how many times as fast it is to be; None where nothing is said."""
    limit: float | None = None
    """The most that it may take itself, in its unit."""
    change: Change = unchanged
    is_first: bool = False
    """Of a create: whether there is no backup before it."""
    backups: int = 1
    """How many backups there are before the first turn."""
    prepare: Callable[[Path], None] | None = None
    """Makes those backups, where it is not who is measured."""
    is_by_best: bool = False
    """Whether it is held against its peer's best turn: those that scatter with the disk's state."""

    @property
    def is_memory(self) -> bool:
        """Whether it is how much memory a process has, and not how long it takes."""
        return self.job in _MEMORY

    @property
    def unit(self) -> str:
        """What its figures are in."""
        return "MiB" if self.is_memory else "s"

    @property
    def is_judged(self) -> bool:
        """Whether there is anything that it is to come up to."""
        return self.limit is not None or any(times is not None for times in self.peers.values())

    @property
    def is_suite(self) -> bool:
        """Whether pytest is run, with all that it makes and removes."""
        return self.job in _SUITES

    @property
    def looks(self) -> Sequence[int]:
        """After how many turns it is looked at; a suite's are long, and alike."""
        return LOOKS[:1] if self.is_memory else (1, 3, 5) if self.is_suite else LOOKS
