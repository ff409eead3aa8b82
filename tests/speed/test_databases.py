"""The figures of building and cloning databases on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent / "databases.py"


def test_the_figures_of_this_machine_come_from_one_command() -> None:
    program = [sys.executable, str(PROGRAM), "small", "empty"]
    printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    assert [line.split()[:2] for line in printed.splitlines()[1:]] == [
        ["small", "25"],
        ["empty", "2"],
    ]
    program[-1] = "unknown"
    failed = subprocess.run(program, check=False, capture_output=True, text=True)
    assert failed.returncode == 2
    assert "no database is called 'unknown'; there are small, empty" in failed.stderr
