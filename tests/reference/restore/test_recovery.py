"""Who else writes while the next call recovers from a restore that was killed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from fixture_types import ReadDatabase
from reference.restore.live import all_locked, change

from reedbase_backup import IoError, create_backup, restore_point_in_time
from reedbase_backup.swap import journal, transaction
from reedbase_backup.swap.transaction import Transaction
from reedbase_backup.types import U64_MAX as FOREVER


class Killed(BaseException):
    """What nothing is done about: not even what an error has undone."""


def kill(*_: object) -> None:
    raise Killed


def fail(*_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_writers_are_locked_out_until_a_failed_recovery_is_undone(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then, what they write to may be on its way out."""
    create_backup(base)
    change(base, "changed")
    before = database(base)
    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "abandon", kill)
        patched.setattr(journal, "turn", kill)
        patched.setattr(transaction, "finish", kill)
        with pytest.raises(Killed):
            restore_point_in_time(base, FOREVER)
    assert list(base.glob(".reedbackup-commit-*"))

    tried = []
    turn = journal.turn

    def watch(folder: int) -> None:
        tried.extend(all_locked(base))
        turn(folder)

    with monkeypatch.context() as patched:
        patched.setattr(transaction, "finish", fail)
        patched.setattr(journal, "turn", watch)
        with pytest.raises(IoError, match="the next create or restore"):
            create_backup(base)
    assert tried == ["routes", "text"]
    create_backup(base)
    assert database(base) == before
