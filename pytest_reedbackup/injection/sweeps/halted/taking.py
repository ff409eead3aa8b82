"""A name that others have taken for a while, and what they keep outside the base."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_same_tree
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.injection.planting import Name, Outside, Plant
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.views.tree import Tree


@contextmanager
def taken(base: Path, process: Served, name: Name, plant: Plant) -> Iterator[tuple[Outside, Tree]]:
    """Plant something in the place of what has a name; what is left of it is removed."""
    places = name.places(base, process.pid, process.implementation.clock)
    for place in places:
        remove_tree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
    # On the disk of the name, for a hard link.
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-outside-", dir=_around(base, places[0])))
    outside = Outside(folder / "outside", name.children)
    for place in places:
        plant(place, name, outside)
    planted = [(place, _identity(place)) for place in places]
    try:
        yield outside, Tree.read(outside.folder)
    finally:
        for place, identity in planted:
            with suppress(FileNotFoundError, NotADirectoryError):
                if _identity(place) == identity:
                    remove_tree(place)
        remove_tree(folder)


def _around(base: Path, place: Path) -> Path:
    """Return the folder around the base, or around a name in the folder of temporary files."""
    resolved = place.parent.resolve()
    return base.parent if resolved.is_relative_to(base.parent.resolve()) else resolved


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another under its name: numbers are given anew."""
    status = os.lstat(path)
    return status.st_ino, stat.S_IFMT(status.st_mode)


def expect_outside(folder: Path, before: Tree, what: str) -> None:
    """Raise BrokenPromise unless what is outside, in `folder`, is as it was before."""
    expect_same_tree(f"what is outside, {what}", Tree.read(folder), before, mtime=True)
