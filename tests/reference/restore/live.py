"""Changes to a live database after its backup."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reedbase_backup.swap.links import LiveLinks, Unlinkable

Change = Callable[[Path], object]


def change(base: Path, to: str) -> None:
    """Write `to` over the content of a table."""
    (base / "tables" / "text" / "current.csv").write_text(to)


def all_locked(base: Path) -> list[str]:
    """Return the tables, each of which somebody must hold locked."""
    locks = sorted(base.glob("tables/*/.lock"))
    for lock in locks:
        with lock.open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return [lock.parent.name for lock in locks]


def files(base: Path) -> list[Path]:
    """All that is no folder in the live trees."""
    found = (path for root in ("tables", "indices") for path in (base / root).rglob("*"))
    return sorted(path for path in found if path.is_symlink() or not path.is_dir())


def inodes(base: Path) -> dict[str, int]:
    return {str(path.relative_to(base)): path.lstat().st_ino for path in files(base)}


def rewrite(path: Path) -> None:
    """Change every byte of a file in place, and neither its size nor its mtime."""
    status = path.stat()
    with path.open("r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(bytes(byte ^ 1 for byte in content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def later_by_a_nanosecond(path: Path) -> None:
    os.utime(path, ns=(path.stat().st_mtime_ns + 1,) * 2)


@contextmanager
def before_the_last_look(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> Iterator[list[str]]:
    """Have `act` done just before a restore's last look each time, and yield what looks found."""
    looks: list[str] = []
    real = LiveLinks.look_again

    def look(self: LiveLinks) -> None:
        if any(self) and looks.count("changed") < 2:
            act()
        try:
            real(self)
        except Unlinkable:
            looks.append("changed")
            raise
        looks.append("as it was")

    with monkeypatch.context() as patched:
        patched.setattr(LiveLinks, "look_again", look)
        yield looks
