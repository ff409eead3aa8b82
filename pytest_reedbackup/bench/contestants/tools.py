"""Tools that people know, run as they run them; none of them syncs what it writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.rows import Job
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.views.base import roots_in


@dataclass(frozen=True)
class Tool:
    """A peer's command lines, with {base}, {store}, {archive}, {turn} and {roots} in them."""

    name: str
    commands: Mapping[Job, Sequence[str]]
    prepare: Sequence[str] = ()
    """What a new store needs."""
    says_version: Sequence[str] = ("--version",)

    @property
    def is_there(self) -> bool:
        """Whether it is installed."""
        return shutil.which(self.name) is not None

    @property
    def version(self) -> str:
        """Return what it says of its version: a line."""
        said = subprocess.run(
            [self.name, *self.says_version], check=True, capture_output=True, text=True
        )
        return (said.stdout or said.stderr).strip().splitlines()[0]


class Peer(Contestant):
    """A tool beside an implementation."""

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

    def _run(self, command: Sequence[str]) -> None:
        places = {
            "base": str(self.base),
            "store": str(self._store),
            "archive": str(self._store / f"{self._turn}.tar.gz"),
            "turn": str(self._turn),
        }
        words = [[word] if word != _ROOTS else roots_in(self.base) for word in command]
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
_RESTIC = ("restic", "-q", "-r", "{store}/repository")

TOOLS = (
    Tool(
        "tar",
        {Job.CREATE: (*_TAR, "-z", _ROOTS), Job.RESTORE: (*_UNTAR, "-z")},
    ),
    Tool("pigz", {Job.CREATE: (*_TAR, "-I", "pigz", _ROOTS)}),
    Tool("zstd", {Job.CREATE: (*_TAR, "-I", "zstd -T0", _ROOTS)}),
    Tool(
        "gzip",
        {Job.CREATE: (*_TAR, "-z", _ROOTS), Job.VERIFY: ("gzip", "-t", "{archive}")},
    ),
    Tool(
        "borg",
        {
            Job.CREATE: ("borg", "create", "{store}/repository::{turn}", _ROOTS),
            Job.RESTORE: ("borg", "extract", "{store}/repository::{turn}"),
        },
        prepare=("borg", "init", "-e", "none", "{store}/repository"),
    ),
    Tool(
        "restic",
        {
            Job.CREATE: (*_RESTIC, "backup", _ROOTS),
            Job.RESTORE: (*_RESTIC, "restore", "latest", "--target", "{base}"),
        },
        prepare=(*_RESTIC, "init"),
        says_version=("version",),
    ),
)
