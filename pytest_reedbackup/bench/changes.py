"""What is done to a database before a turn; never timed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.disk import spread
from pytest_reedbackup.views.base import roots_in

_IN_2001 = 10**9
"""Unix seconds of the oldest backup that `others_archives` makes."""


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
    every = max(1, min(100, len(files)))
    for path in files[turn % every :: every]:
        path.write_bytes(path.read_bytes()[::-1])


def make_anew(base: Path, turn: int) -> None:
    """Put a copy in the place of what a restore brings back, with files that nobody made room for.

    Where the last turn removed many files, making new ones is dear (`databases/disk.py`).
    """
    spread(base.parent)
    anew = base.with_name(f"anew-{turn}")
    anew.mkdir()
    for root in roots_in(base):
        clone_tree(base / root, anew / root)
    set_aside(base, turn)
    for root in roots_in(anew):
        (anew / root).rename(base / root)


def change_one_percent_anew(base: Path, turn: int) -> None:
    """Do both."""
    make_anew(base, turn)
    change_one_percent(base, turn)


def set_aside(base: Path, turn: int) -> None:
    """Leave nothing of what a restore brings back.

    It is moved away: where many files were removed, making new ones is dear (`databases/disk.py`).
    """
    aside = base.with_name(f"aside-{turn}")
    aside.mkdir()
    for root in roots_in(base):
        (base / root).rename(aside / root)


def others_archives(base: Path) -> None:
    """Make 32 backups as the baseline does, with tar, so that nothing in them says what they hold.

    They are one file under 32 names.
    """
    backups = base / "backups"
    backups.mkdir(mode=0o700)
    first = backups / f"{_IN_2001}.tar.gz"
    subprocess.run(
        ["tar", "-czf", first, "-C", base, *roots_in(base)],
        check=True,
        capture_output=True,
    )
    for second in range(1, 32):
        (backups / f"{_IN_2001 + second}.tar.gz").hardlink_to(first)
