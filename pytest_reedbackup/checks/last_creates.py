"""Backups under contract `last`, whose create fails now and then without anybody's fault.

The baseline's tar reads backups/ and the archive that it is writing, and ends
with an error when it notices (defect D1: 1 first create in 40, more than every
second one later). One case is about that; all others try again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from pytest_reedbackup.checks.archive_tools import expect_gnu_tar
from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.implementations.answers import Answer, Refused, value_of
from pytest_reedbackup.views.base import backups_listing

SUFFIX = ".tar.gz"

# With 7 failures in 12, that many in a row are met once in 10^9 times.
_ATTEMPTS = 40
_BUSY_BYTES = 8 << 20
# Compresses well, but takes its time.
_BLOCK_BYTES = 16 << 10
_BETWEEN_CHANGES_SECS = 0.001


def is_tar_failure(answer: Answer) -> bool:
    """Whether create_backup answered that tar failed."""
    return isinstance(answer, Refused) and (answer.kind, answer.fields.get("command")) == (
        "CommandFailed",
        "tar",
    )


def created(implementation: Implementation, base: Path) -> Any:
    """The BackupInfo of a backup that must succeed, tried again where tar failed (D1)."""
    was_there, kept = base.exists(), set(backups_listing(base))
    for _ in range(_ATTEMPTS - 1):
        answer = implementation.create_backup(base)
        if not is_tar_failure(answer):
            return value_of(answer, "create_backup")
        for name in set(backups_listing(base)) - kept:
            (base / "backups" / name).unlink()
        if not was_there:
            remove_tree(base)
    return implementation.created(base)


def left_by_create(implementation: Implementation, base: Path) -> tuple[Answer, Path]:
    """What create_backup answered, and the archive that is new: after tar's failure too (D2)."""
    before = set(backups_listing(base))
    answer = implementation.create_backup(base)
    if not is_tar_failure(answer):
        value_of(answer, "create_backup")
    new = sorted(set(backups_listing(base)) - before)
    expect_that(len(new) == 1, "what is new in backups/", expected="one archive", found=new)
    return answer, base / "backups" / new[0]


@contextmanager
def busy_file(base: Path) -> Iterator[Path]:
    """A large file in table `text` that keeps changing, so that GNU tar fails.

    Raises MissingCapability where tar does not notice such a thing.
    """
    expect_gnu_tar()
    path = base / "tables" / "text" / "busy.bin"
    path.write_bytes(Random(0).randbytes(_BLOCK_BYTES) * (_BUSY_BYTES // _BLOCK_BYTES))
    stop = threading.Event()

    def change() -> None:
        while not stop.wait(_BETWEEN_CHANGES_SECS):
            os.utime(path)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        yield path
    finally:
        stop.set()
        changing.join()
