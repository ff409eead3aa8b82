"""Who does a job: an implementation, timed as it times itself, or a tool that people know."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.views.base import ROOTS
from reedbase_backup.types import U64_MAX
from reedbase_backup.verify import verify

_LIMITS = TimeLimits(call=600.0)


class Contestant(ABC):
    """Does jobs on `base`, which is its own, and says how many seconds each took."""

    name: str

    def __init__(self, base: Path) -> None:
        self.base = base

    @abstractmethod
    def forget(self) -> None:
        """Have there be no backup yet; not timed."""

    @abstractmethod
    def run(self, job: Job) -> float:
        """Do it, and return the seconds that it took."""

    @abstractmethod
    def close(self) -> None:
        """Have nothing of it run any more."""


def can(option: str, job: Job) -> bool:
    """Return whether an implementation does such a job: `verify` is no function of the contract."""
    return job is not Job.VERIFY or option == "python"


class Implementation(Contestant):
    """An implementation of contract `ticket`, as --reedbackup-impl names it."""

    def __init__(self, option: str, base: Path) -> None:
        super().__init__(base)
        self.name = option
        self._connection = Connection(option, base.parent, _LIMITS)

    def forget(self) -> None:
        """Remove all backups."""
        remove_tree(self.base / "backups")

    def run(self, job: Job) -> float:
        """Call it; raise BrokenPromise where it says an error."""
        if job is Job.CREATE:
            return self._called("create_backup")
        if job is Job.RESTORE:
            return self._called("restore_point_in_time", target_timestamp=U64_MAX)
        started = time.perf_counter()
        newest = verify(self.base)[0]
        took = time.perf_counter() - started
        assert newest.is_sound
        return took

    def close(self) -> None:
        """End its process."""
        self._connection.close()

    def _called(self, method: str, **params: Any) -> float:
        answer = self._connection.call(method, "ticket", self.base, **params)
        value_of(answer, f"{method} of {self.name}")
        assert isinstance(answer, Answered)
        return answer.elapsed_ns / 10**9


@dataclass(frozen=True)
class Tool:
    """A peer's command lines, with {base}, {store}, {archive}, {turn} and {roots} in them."""

    name: str
    program: str
    commands: Mapping[Job, Sequence[str]]
    prepare: Sequence[str] = ()
    """What a new store needs."""

    def is_compared(self, row: Row) -> bool:
        """Return whether it is there, and says something of a row: gzip is for what verifies."""
        is_meant = row.job in self.commands and (self.name in row.targets or self.name != "gzip")
        return is_meant and shutil.which(self.program) is not None


class Peer(Contestant):
    """A tool beside the implementation; unlike it, none of them syncs what it writes."""

    def __init__(self, tool: Tool, base: Path) -> None:
        super().__init__(base)
        self.name = tool.name
        self._tool = tool
        self._store = base.with_name("store")
        self._turn = 0
        self.forget()

    def forget(self) -> None:
        """Begin a new store."""
        remove_tree(self._store)
        self._store.mkdir()
        if self._tool.prepare:
            self._run(self._tool.prepare)

    def run(self, job: Job) -> float:
        """Run the command; raise CalledProcessError where it fails."""
        self._turn += job is Job.CREATE
        started = time.perf_counter()
        self._run(self._tool.commands[job])
        return time.perf_counter() - started

    def close(self) -> None:
        """Do nothing: each command has ended."""

    def _run(self, command: Sequence[str]) -> None:
        places = {
            "base": str(self.base),
            "store": str(self._store),
            "archive": str(self._store / f"{self._turn}.tar.gz"),
            "turn": str(self._turn),
        }
        roots = [root for root in ROOTS if (self.base / root).is_dir()]
        words = [[word] if word != _ROOTS else roots for word in command]
        subprocess.run(
            [word.format(**places) for part in words for word in part],
            cwd=self.base,
            env={**os.environ, **_SETTINGS, "HOME": str(self._store)},
            check=True,
            capture_output=True,
        )


# borg(1) and restic(1): no questions, no keys.
_SETTINGS = {
    "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
    "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    "RESTIC_PASSWORD": "none",
}
_ROOTS = "{roots}"
_TAR = ("tar", "-cf", "{archive}", "-C", "{base}")
_UNTAR = ("tar", "-xf", "{archive}", "-C", "{base}")

TOOLS = (
    Tool(
        "tar",
        "tar",
        {Job.CREATE: (*_TAR, "-z", _ROOTS), Job.RESTORE: (*_UNTAR, "-z")},
    ),
    Tool("pigz", "pigz", {Job.CREATE: (*_TAR, "-I", "pigz", _ROOTS)}),
    Tool("zstd", "zstd", {Job.CREATE: (*_TAR, "-I", "zstd -T0", _ROOTS)}),
    Tool(
        "gzip",
        "gzip",
        {Job.CREATE: (*_TAR, "-z", _ROOTS), Job.VERIFY: ("gzip", "-t", "{archive}")},
    ),
    Tool(
        "borg",
        "borg",
        {
            Job.CREATE: ("borg", "create", "{store}/repository::{turn}", _ROOTS),
            Job.RESTORE: ("borg", "extract", "{store}/repository::{turn}"),
        },
        prepare=("borg", "init", "-e", "none", "{store}/repository"),
    ),
    Tool(
        "restic",
        "restic",
        {
            Job.CREATE: ("restic", "-q", "-r", "{store}/repository", "backup", _ROOTS),
        },
        prepare=("restic", "-q", "-r", "{store}/repository", "init"),
    ),
)
