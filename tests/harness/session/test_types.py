"""What a type checker makes of users' own tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TYPED = """
from pathlib import Path

from pytest_reedbackup.connections.implementation import (
    Implementation,
    LastImplementation,
    TicketImplementation,
)
from pytest_reedbackup.injection.fakes.databases import FakeDatabases
from pytest_reedbackup.injection.programs.faults import FailingCalls, PowerCut

def test_ticket(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    reveal_type(reedbackup.created(reedbackup_db).id)
    reveal_type(reedbackup.listed(reedbackup_db)[0].table_count)
    reveal_type(reedbackup.restored(reedbackup_db, 1).tables_restored)

def test_last(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    reveal_type(reedbackup.newest(reedbackup_db).path)
    reveal_type(reedbackup.restored(reedbackup_db, 1).tables_skipped)

def test_full(reedbackup_fake_db: FakeDatabases) -> None:
    with reedbackup_fake_db(free=100) as base:
        reveal_type(base)

def test_cuts(
    reedbackup_db: Path, reedbackup_power_cut: PowerCut, reedbackup_failing_calls: FailingCalls
) -> None:
    reveal_type(reedbackup_power_cut(reedbackup_db, ["./my-writer", "{base}"], print))
    reveal_type(reedbackup_failing_calls(reedbackup_db, Path.mkdir, print, most=3))

def test_either(reedbackup: Implementation, reedbackup_db: Path) -> None:
    reveal_type(reedbackup.created(reedbackup_db).timestamp)
    reedbackup.created(reedbackup_db).id
"""


@pytest.mark.slow
def test_a_users_test_is_checked_against_its_contracts_types(tmp_path: Path) -> None:
    (tmp_path / "test_typed.py").write_text(TYPED)
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir=cache", "test_typed.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    shown = ended.stdout.replace("builtins.", "")
    assert re.findall(r'Revealed type is "(.*)"', shown) == [
        *("str", "int", "int"),
        *("str", "list[str]"),
        *("pathlib.Path", "int", "int", "int"),
    ]
    (error,) = re.findall(r" error: (.*)", shown)
    assert error.startswith(
        'Item "LastBackup" of "TicketBackup | LastBackup" has no attribute "id"'
    )
