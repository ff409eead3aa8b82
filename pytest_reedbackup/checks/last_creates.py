"""Backups under contract `last`, whose create fails now and then without anybody's fault (D1).

One case is about that; all others try again.
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
from pytest_reedbackup.implementations.answers import Answer, value_of
from pytest_reedbackup.implementations.tar_failures import is_tar_failure, past_tar_failures
from pytest_reedbackup.views.base import backups_listing

SUFFIX = ".tar.gz"

_BUSY_BYTES = 8 << 20
# Compresses well, but takes its time.
_BLOCK_BYTES = 16 << 10
_BETWEEN_CHANGES_SECS = 0.001


def created(implementation: Implementation, base: Path) -> Any:
    """Return the BackupInfo of a backup that must succeed, tried again where tar failed (D1)."""
    was_there, kept = base.exists(), set(backups_listing(base))

    def take_back() -> None:
        for name in set(backups_listing(base)) - kept:
            (base / "backups" / name).unlink()
        if not was_there:
            remove_tree(base)

    answer = past_tar_failures(lambda: implementation.create_backup(base), take_back)
    return value_of(answer, "create_backup")


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

    Raise MissingCapability where tar does not notice such a thing.
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
