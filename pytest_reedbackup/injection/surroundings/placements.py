"""Databases that lie across file systems, in folders that are closed to writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.injection.mounts import Mounts, mounts_below
from pytest_reedbackup.injection.surroundings.ordeals import Ground
from pytest_reedbackup.injection.surroundings.rights import User

TABLE = "tables/routes"
"""A table that each backup of a scene has, and its live tree, too."""


@dataclass(frozen=True)
class Placed:
    """A fresh copy of a database, of which parts are mounted then, and all is owned by one."""

    ground: Ground
    arrange: Callable[[Path, Mounts], None]
    owner: User

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give a fresh copy. Raise MissingCapability where this machine cannot mount."""
        with self.ground() as base, mounts_below(base.parent) as mounts:
            self.arrange(base, mounts)
            self.owner.own(base)
            yield base


def _on_other_file_systems(*parts: str) -> Callable[[Path, Mounts], None]:
    def arrange(base: Path, mounts: Mounts) -> None:
        for part in parts:
            mounts.move_to_tmpfs(base / part)

    return arrange


def _bound(part: str) -> Callable[[Path, Mounts], None]:
    def arrange(base: Path, mounts: Mounts) -> None:
        mounts.move_to_bind_mount(base / part, base.parent / "elsewhere")

    return arrange


def _layered(base: Path, mounts: Mounts) -> None:
    mounts.move_to_lower_layer(base, base.parent / "layers")


ARRANGEMENTS: Mapping[str, Callable[[Path, Mounts], None]] = {
    "nothing mounted": lambda base, mounts: None,
    "tables mounted": _on_other_file_systems("tables"),
    "tables bound": _bound("tables"),
    "a table mounted": _on_other_file_systems(TABLE),
    "a table bound": _bound(TABLE),
    "tables and a table mounted": _on_other_file_systems("tables", TABLE),
    "indices mounted": _on_other_file_systems("indices"),
    "backups mounted": _on_other_file_systems("backups"),
    "all parts mounted": _on_other_file_systems("tables", "indices", "backups"),
    "a lower layer": _layered,
}
