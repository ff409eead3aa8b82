"""The power cut: in the midst of a restore, at one system call and then at another."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.commands.demonstration.telling import PROGRAM, Teller, went_wrong
from pytest_reedbackup.injection.power.disks import FileSystem, why_not
from pytest_reedbackup.injection.programs.faults import PowerCut
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.reports.strip import account
from reedbase_backup import create_backup

_RESTORE = (*PROGRAM, "restore", "{base}", "--to", "latest", "--yes")

_POWER_GOES = (
    "Here the power of a disk goes, in {} restores. Each time three disks are looked at: as at"
    " once, and after the file system has written some or all of what it still held."
)
_IS_KILLED = "So {} restores are killed instead, and the power stays."

Which = Callable[[Path], str]
"""Says which trees are found at a path, in a letter: o for the old ones, n for the new ones."""


def cut_power(teller: Teller, moments: int, which: Which) -> None:
    """Cut it in so many restores, each at another moment; kill them where none can be cut.

    Say why where neither can be done. Raise Failed where `which` raises.
    """
    teller.tell(
        "A restore writes the new trees beside the live ones, and puts them in place at its end."
        " Whenever it is cut off, the next call finds the old trees or the new ones whole, and"
        " tidies up. A letter is what was found then: o the old trees, n the new ones."
    )
    reason = why_not(FileSystem.EXT4)
    if reason:
        teller.tell(f"No power can be cut here, which only root may: {reason.rstrip('.')}.")
    try:
        _cut(teller, moments, which, kill_only=bool(reason))
    except pytest.skip.Exception as skipped:
        teller.tell(f"This is left out: it {skipped.msg}.")


def _cut(teller: Teller, moments: int, which: Which, *, kill_only: bool) -> None:
    """Do it, and say so. Raise what skips a test where it cannot be done, or Failed."""
    found: list[str] = []
    words = _POWER_GOES if not kill_only else _IS_KILLED

    def look(base: Path) -> None:
        if not found:
            teller.tell(words.format(moments))
        # The next call, which tidies up.
        create_backup(base)
        letter = which(base)
        found.append(letter)
        sys.stdout.write(f"{letter} ")
        sys.stdout.flush()

    with scratch() as folder:
        cut = PowerCut(folder / "kept", lambda sweep: account(sweep, teller.width))
        try:
            cut(teller.base, _RESTORE, look, most=moments, kill_only=kill_only)
        except AssertionError as error:
            raise went_wrong(str(error)) from error
        finally:
            if found:
                print()
    teller.tell(
        f"The old trees {found.count('o')} times, the new ones {found.count('n')} times, and"
        " never a mixture."
    )
