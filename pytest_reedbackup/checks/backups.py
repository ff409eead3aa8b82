"""Backups that a case needs, made by an implementation or beside it, and where they are."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import pack

# The longest name that Linux's and macOS' file systems take.
_NAME_BYTES = 255


def archive_of(base: Path, backup_id: str) -> Path:
    """Return where the archive of a backup is (contract `ticket`, create/archive).

    Raise BrokenPromise for an id that no file can be named by.
    """
    named = f"{backup_id}.tar.gz"
    is_name = backup_id and not set(named) & {"/", "\0"} and len(os.fsencode(named)) <= _NAME_BYTES
    expect_that(
        bool(is_name),
        "the id of a backup",
        expected="a valid file name, without .tar.gz",
        found=backup_id,
    )
    return base / "backups" / f"{backup_id}.tar.gz"


def backup_at(reedbackup: TicketImplementation, base: Path, seconds: int) -> tuple[str, int]:
    """Return id and timestamp of a new backup of the second `seconds`.

    Where the clock cannot be set, it is a plain tar.gz that others might have made.
    """
    if reedbackup.clock.is_settable:
        reedbackup.clock.set(seconds)
        made = reedbackup.created(base)
        return made.id, made.timestamp
    pack(base, archive_of(base, str(seconds)))
    return str(seconds), seconds


def backup_around(reedbackup: TicketImplementation, base: Path) -> int:
    """Back the base up; return a time to restore to, which lies between two backups of this tree.

    So whichever an implementation picks, it is this tree: what it picks is for
    the cases of restore/pick. The later one is a plain tar.gz of a time to come.
    """
    time: int = reedbackup.created(base).timestamp
    pack(base, archive_of(base, str(time + 2)))
    return time + 1
