"""Modes under contract `ticket`: what a restore brings back of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of, backup_around
from pytest_reedbackup.checks.expectations import expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import read_tree
from pytest_reedbackup.databases.changes import share_with_a_group
from pytest_reedbackup.databases.spec import SMALL
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.injection.surroundings.umask import under_umask
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import ROOTS, live_tree, with_cleared_bits_back

Arrange = Callable[[Path], None]
"""Gives a database its modes."""


@case(
    "ticket/restore/modes",
    "Restore brings back the modes of what a group writes to, setgid and sticky folders among it.",
)
def test_restore_brings_back_the_modes_of_a_shared_database(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    _share(reedbackup_db)
    _expect_modes_back(reedbackup, reedbackup_db)


def _share(base: Path) -> None:
    share_with_a_group(base)
    for root, mode in (("tables", 0o2750), ("indices", 0o700)):
        (base / root).chmod(mode)


def _close(base: Path) -> None:
    """Files and folders that may not be written to, or not even read where root reads them."""
    modes = [0o444, 0o400, 0o440]
    if os.geteuid() == 0:
        modes += [0o000, 0o200, 0o004]
    table = base / "tables" / "text"
    for root in (table, base / "indices"):
        for mode in modes:
            (root / f"mode {mode:04o}").write_text(f"{mode:04o}")
            (root / f"mode {mode:04o}").chmod(mode)
        for mode in (0o555, 0o500):
            (root / f"folder {mode:04o}").mkdir()
            (root / f"folder {mode:04o}" / "file").write_text("in a read-only folder")
            (root / f"folder {mode:04o}").chmod(mode)


def _mix_folders(base: Path) -> None:
    """Folders with special bits in folders without, and the other way round."""
    base.chmod(0o2775)
    for root in ROOTS:
        outer = base / root / "outer"
        for mode in (0o2775, 0o1777, 0o3770, 0o2755, 0o755, 0o701, 0o777):
            for inner in (0o755, 0o2755, 0o1700):
                (outer / f"{mode:04o}" / f"{inner:04o}").mkdir(parents=True, exist_ok=True)
                (outer / f"{mode:04o}" / f"{inner:04o}" / "file").write_text("text")
                (outer / f"{mode:04o}" / f"{inner:04o}").chmod(inner)
            (outer / f"{mode:04o}").chmod(mode)
        outer.chmod(0o750)
        (base / root).chmod(0o3775)


def _open_files(base: Path) -> None:
    """Files with every permission, to run and with special bits, which alone may be cleared."""
    for root in ROOTS:
        for mode in (0o777, 0o666, 0o606, 0o744, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777):
            (base / root / f"mode {mode:04o}").write_text(f"{mode:04o}")
            (base / root / f"mode {mode:04o}").chmod(mode)


ARRANGEMENTS: dict[str, Arrange] = {
    "shared": _share,
    "closed": _close,
    "folders": _mix_folders,
    "files": _open_files,
}


@cases(
    "ticket/restore/modes",
    "Restore brings back the modes of files and folders of every kind ({variant}).",
    {name: ARRANGEMENTS[name] for name in ("closed", "folders", "files")},
)
def test_restore_brings_back_modes(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Arrange
) -> None:
    variant(reedbackup_db)
    _expect_modes_back(reedbackup, reedbackup_db)


@cases(
    "ticket/restore/modes/under-umask",
    "Restore brings back the same modes under umask {variant}.",
    {"000": 0o000, "027": 0o027, "077": 0o077},
)
def test_restore_brings_back_modes_whatever_the_umask(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: int
) -> None:
    bases = [reedbackup_make_db(SMALL) for _ in ARRANGEMENTS]
    for arrange, base in zip(ARRANGEMENTS.values(), bases, strict=True):
        arrange(base)
    with under_umask(reedbackup, variant):
        for base in bases:
            _expect_modes_back(reedbackup, base)


def _expect_modes_back(reedbackup: TicketImplementation, base: Path) -> None:
    """The modes that are there must come back once all are others."""
    expected = live_tree(base)
    target = backup_around(reedbackup, base)
    _change_modes(base)
    unsaid = _roots_without_members(reedbackup, base, target)
    reedbackup.restored(base, target)
    found = with_cleared_bits_back(live_tree(base), expected)
    expect_same_tree("tables/ and indices/", found.without(unsaid), expected.without(unsaid))


def _change_modes(base: Path) -> None:
    for root in ROOTS:
        for path in sorted((base / root).rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
        (base / root).chmod(0o755)


def _roots_without_members(reedbackup: TicketImplementation, base: Path, target: int) -> set[str]:
    """Of tables/ and indices/, those that the backup before `target` only implies.

    create/content asks for what is under them, so that their own modes may be in no archive.
    """
    own = next((info for info in reedbackup.listed(base) if info.timestamp <= target), None)
    members = read_tree(archive_of(base, own.id)).entries if own else ()
    return set(ROOTS).difference(members)
