"""Databases that lie across file systems, in folders that are closed to writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.injection.mounts import Mounts, mounts_below
from pytest_reedbackup.injection.surroundings.ordeals import Ground
from pytest_reedbackup.injection.surroundings.rights import User

Arrange = Callable[[Path, Mounts], None]
"""Mounts parts of a database."""

TABLE = "tables/routes"
"""A table that each backup of a scene has, and its live tree, too."""


@dataclass(frozen=True)
class Placed:
    """A fresh copy of a database, of which parts are mounted then, and all is owned by one."""

    ground: Ground
    arrange: Arrange
    owner: User

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give a fresh copy. Raise MissingCapability where this machine cannot mount."""
        with self.ground() as base, mounts_below(base.parent) as mounts:
            self.arrange(base, mounts)
            self.owner.own(base)
            yield base


def on_other_file_systems(*parts: str) -> Arrange:
    """Return what makes each part a file system of its own."""

    def arrange(base: Path, mounts: Mounts) -> None:
        for part in parts:
            mounts.move_to_tmpfs(base / part)

    return arrange


def bound(part: str) -> Arrange:
    """Return what makes a part a mount of another folder on the same disk."""

    def arrange(base: Path, mounts: Mounts) -> None:
        mounts.move_to_bind_mount(base / part, base.parent / "elsewhere")

    return arrange


def layered(base: Path, mounts: Mounts) -> None:
    """Make the base an overlay, whose lower layer holds what was in it."""
    mounts.move_to_lower_layer(base, base.parent / "layers")


ARRANGEMENTS: Mapping[str, Arrange] = {
    "nothing mounted": lambda base, mounts: None,
    "tables mounted": on_other_file_systems("tables"),
    "tables bound": bound("tables"),
    "a table mounted": on_other_file_systems(TABLE),
    "a table bound": bound(TABLE),
    "tables and a table mounted": on_other_file_systems("tables", TABLE),
    "indices mounted": on_other_file_systems("indices"),
    "backups mounted": on_other_file_systems("backups"),
    "all parts mounted": on_other_file_systems("tables", "indices", "backups"),
    "a lower layer": layered,
}
