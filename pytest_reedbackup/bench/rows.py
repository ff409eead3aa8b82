"""The jobs that are timed, what comes between two turns, and how fast they are to be."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.spec import BULK_1M, BULK_10K, HISTORY_10K, Spec
from pytest_reedbackup.views.base import ROOTS

Change = Callable[[Path, int], None]
"""Changes a database before a turn of this number; not timed."""

_MANY_FILES = 5_000


class Job(StrEnum):
    """What is timed."""

    CREATE = "create"
    RESTORE = "restore"
    VERIFY = "verify"


@dataclass(frozen=True)
class Row:
    """A job, what it is done on, and how many times as fast as each peer it is to be."""

    id: str
    what: str
    job: Job
    spec: Spec
    targets: Mapping[str, float]
    """By peer; a peer that is not named here is shown without a target."""
    change: Change = field(default=lambda base, turn: None)
    is_first: bool = False
    """Of a create: whether there is no backup before it."""

    @property
    def makes_many_files(self) -> bool:
        """Whether many files are made anew, which is dear for a while after many were removed."""
        return self.job is Job.RESTORE and self.spec == HISTORY_10K


def add_one_percent(base: Path, turn: int) -> None:
    """Add 1 % new files to each folder that has a hundred."""
    for folder, _, names in list(os.walk(base / "tables")):
        for number in range(len(names) // 100):
            path = Path(folder, names[number])
            path.with_name(f"{turn}-{number}-{path.name}").write_bytes(path.read_bytes())


def change_one_table(base: Path, turn: int) -> None:
    """Change one byte of the current content of one table."""
    table = min(path for path in (base / "tables").iterdir() if path.is_dir())
    current = table / "current.csv"
    content = bytearray(current.read_bytes())
    content[len(content) // 2] = ord("0") + turn % 10
    current.write_bytes(content)


def change_one_percent(base: Path, turn: int) -> None:
    """Change the content of 1 % of the files, and of one at least."""
    files = sorted(path for path in (base / "tables").rglob("*.bsdiff") if path.is_file())
    for path in files[turn :: max(1, min(100, len(files)))]:
        path.write_bytes(path.read_bytes()[::-1])


def remove_all(base: Path, turn: int) -> None:
    """Leave nothing of what a restore brings back."""
    for root in ROOTS:
        remove_tree(base / root)


# Targets: of this project, beside what was measured on one machine of two cores.
ROWS = (
    Row(
        "create/history/first",
        "create, 10,000 versions, first",
        Job.CREATE,
        HISTORY_10K,
        {"tar": 1.3},
        is_first=True,
    ),
    Row(
        "create/history/new",
        "create, 10,000 versions, 1 % more",
        Job.CREATE,
        HISTORY_10K,
        {"tar": 2, "borg": 10},
        add_one_percent,
    ),
    Row(
        "create/1m/first",
        "create, 1M rows, first",
        Job.CREATE,
        BULK_1M,
        {"tar": 10, "zstd": 1},
        is_first=True,
    ),
    Row(
        "create/1m/one-table",
        "create, 1M rows, one table of four changed",
        Job.CREATE,
        BULK_1M,
        {"tar": 25},
        change_one_table,
    ),
    Row("create/1m/same", "create, 1M rows, unchanged", Job.CREATE, BULK_1M, {"borg": 8}),
    Row(
        "create/10k/first",
        "create, 10k rows, first",
        Job.CREATE,
        BULK_10K,
        {"tar": 5},
        is_first=True,
    ),
    Row("create/10k/same", "create, 10k rows, unchanged", Job.CREATE, BULK_10K, {"tar": 8}),
    Row(
        "restore/history/changed",
        "restore, 10,000 versions, 1 % differs",
        Job.RESTORE,
        HISTORY_10K,
        {"tar": 1.7},
        change_one_percent,
    ),
    Row(
        "restore/history/nothing",
        "restore, 10,000 versions, into nothing",
        Job.RESTORE,
        HISTORY_10K,
        {"tar": 1},
        remove_all,
    ),
    Row("restore/1m/same", "restore, 1M rows", Job.RESTORE, BULK_1M, {"tar": 2}),
    Row(
        "restore/1m/one-table",
        "restore, 1M rows, one table of four differs",
        Job.RESTORE,
        BULK_1M,
        {"tar": 6},
        change_one_table,
    ),
    Row("restore/10k/same", "restore, 10k rows", Job.RESTORE, BULK_10K, {"tar": 1}),
    Row("verify/history", "verify, 10,000 versions", Job.VERIFY, HISTORY_10K, {"gzip": 0.5}),
    Row("verify/1m", "verify, 1M rows", Job.VERIFY, BULK_1M, {"gzip": 2}),
)
