"""The databases on which sweeps of contract `ticket` make their calls."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.views.base import live_tree, source_tree
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import TicketBackup

LATER = 4_000_000_000
"""A time after any call, in 2096."""

_FIRST = 1_700_000_000
_SPEC = DatabaseSpec(
    tables=2, rows=20, versions=2, indices=1, empty_folders=("tables/text/folder/inner",)
)
# Before all of the implementation's own, whatever its clock says.
_FILLER = 1_000_000
# The place in the list of one that is not pruned, though several creates follow.
_KEPT = RETENTION - 4


@dataclass(frozen=True)
class Backup:
    """A backup that was there before the call."""

    info: TicketBackup
    tree: Tree

    @property
    def timestamp(self) -> int:
        """Return the Unix second that restores it."""
        return self.info.timestamp


@dataclass(frozen=True)
class Scene:
    """A database before the call, whose live tree differs from each of its backups."""

    base: Path
    listed: Sequence[TicketBackup]
    """All of its backups, newest first."""
    backups: Sequence[Backup]
    """Those of which it is known what they hold and which no create prunes, newest first."""
    oldest: Backup
    """What a create prunes where there are as many backups as are kept."""
    live: Tree
    source: Tree
    now: int
    """The time of the call in Unix seconds, where it can be set."""

    @property
    def restored(self) -> Backup:
        """Return the one that the call restores: not the newest."""
        return self.backups[1]

    @property
    def is_full(self) -> bool:
        """Return whether there are as many backups as are kept."""
        return len(self.listed) >= RETENTION

    def set_clock(self, clock: Clock, turn: int = 0) -> None:
        """Make it the time of the call, or so many turns after it, where that can be set."""
        if clock.is_settable:
            clock.set(self.now + 10 * turn)


def small_scene(implementation: TicketImplementation, base: Path) -> Scene:
    """Build a database with two backups of the implementation's own in the new folder `base`."""
    _build(base)
    return _with_own_backups(implementation, base)


def read_only_scene(implementation: TicketImplementation, base: Path) -> Scene:
    """Build the same with folders that nobody may write to: both roots, and a table's."""
    _build(base)
    return _with_own_backups(implementation, base, closed=("tables", "indices", "tables/routes"))


def tiny_scene(implementation: TicketImplementation, base: Path) -> Scene:
    """Build the same with as few bytes as there may be."""
    build(DatabaseSpec(tables=("text",), rows=1, empty_folders=("indices",)), base)
    return _with_own_backups(implementation, base)


def full_scene(implementation: TicketImplementation, base: Path) -> Scene:
    """Build the same with as many backups as are kept, by plain archives that others made."""
    _build(base)
    tree = live_tree(base)
    first = archive_of(base, str(_FILLER))
    pack(base, first)
    for number in range(1, RETENTION - 2):
        shutil.copyfile(first, archive_of(base, str(_FILLER + number)))
    return _with_own_backups(implementation, base, tree)


def _build(base: Path) -> None:
    """Build the database: nothing has the mode that the umask gives, so who sets none is seen."""
    build(_SPEC, base)
    for root in ("tables", "indices"):
        for path in [base / root, *(base / root).rglob("*")]:
            path.chmod(0o750 if path.is_dir() else 0o640)


def _with_own_backups(
    implementation: TicketImplementation,
    base: Path,
    filler: Tree | None = None,
    closed: Sequence[str] = (),
) -> Scene:
    """Add two backups, between which the folders `closed` are closed to writers, and read all."""
    clock = implementation.clock
    if clock.is_settable:
        clock.set(_FIRST)
    backups: list[Backup] = []
    for turn in range(2):
        _set_modes(base, closed, 0o555)
        tree = live_tree(base)
        backups.insert(0, Backup(implementation.created(base), tree))
        _set_modes(base, closed, 0o755)
        (base / "tables" / "text" / f"{turn}.bsdiff").write_bytes(b"x" * 300)
        # A restore to its second is to find it, and nothing that is made later.
        clock.advance(10 if clock.is_settable else 1)
    change_everything(base)
    _set_modes(base, closed, 0o555)
    listed = implementation.listed(base)
    wanted = RETENTION if filler else len(backups)
    if len(listed) != wanted:
        sentence = (
            f"of {wanted} backups, plain archives of others among them, it lists {len(listed)}"
        )
        raise MissingCapability("a base full of backups", sentence, tool=True)
    return Scene(
        base,
        listed,
        [*backups, *([Backup(listed[_KEPT], filler)] if filler else [])],
        Backup(listed[-1], filler or backups[-1].tree),
        live_tree(base),
        source_tree(base),
        now=clock.seconds() + 100,
    )


def _set_modes(base: Path, folders: Sequence[str], mode: int) -> None:
    for folder in folders:
        (base / folder).chmod(mode)
