"""Names that others have taken first, under contract `ticket`: nothing is written through them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.checks.backups import backup_around
from pytest_reedbackup.checks.expectations import expect_same_tree, hung
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.injection.sweeps.halted.after_kill import sweep_after_kills
from pytest_reedbackup.injection.sweeps.halted.planted import Planting, Scene
from pytest_reedbackup.injection.sweeps.halted.taking import expect_outside
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.adapter_faults import TimedOut
from pytest_reedbackup.model.case import Kind, case, cases
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.tree import Tree

PATIENCE_SECS = 20.0
"""Who opens a FIFO waits without end; nobody else takes so long for so little."""

FEW = DatabaseSpec(tables=2, rows=4, versions=2, indices=1)

NOW = 1_800_000_000
"""By a clock that can be set: names have the second in them, and points are repeated by name."""


# In the live tree -----------------------------------------------------------------


def _table(base: Path, outside: Path) -> None:
    _replace(base / "tables" / "text", outside)


def _tables(base: Path, outside: Path) -> None:
    _replace(base / "tables", outside)


def _indices(base: Path, outside: Path) -> None:
    _replace(base / "indices", outside)


def _replace(folder: Path, outside: Path) -> None:
    """Moves a folder out of the base, and leaves a symlink to it in its place."""
    shutil.copytree(folder, outside / folder.name)
    remove_tree(folder)
    folder.symlink_to(outside / folder.name, target_is_directory=True)


def _files(base: Path, outside: Path) -> None:
    for number, path in enumerate(sorted((base / "tables").rglob("*.*"))):
        if path.is_file():
            path.rename(outside / f"{number}")
            path.symlink_to(outside / f"{number}")


def _hard_links(base: Path, outside: Path) -> None:
    for number, path in enumerate(sorted((base / "tables").rglob("*.*"))):
        if path.is_file():
            os.link(path, outside / f"{number}")


def _dangling_links(base: Path, outside: Path) -> None:
    """In the place of files that an implementation may open to write or to lock."""
    for number, path in enumerate(sorted((base / "tables").glob("*/*"))):
        if path.is_file():
            path.unlink()
            path.symlink_to(outside / f"not there {number}")


def _fifos(base: Path, outside: Path) -> None:
    for path in [p for p in (base / "tables").glob("*/*") if p.is_file()]:
        path.unlink()
        os.mkfifo(path)


PLANTED: dict[str, Callable[[Path, Path], None]] = {
    "table": _table,
    "tables": _tables,
    "indices": _indices,
    "files": _files,
    "hard-links": _hard_links,
    "dangling-links": _dangling_links,
    "fifos": _fifos,
}


@case(
    "ticket/restore/planted",
    "Restore writes through no symlink in the place of a file or a table.",
)
def test_restore_writes_through_no_symlink(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    def plant(base: Path, outside: Path) -> None:
        _files(base, outside)
        _table(base, outside)

    _expect_nothing_written_through(reedbackup, reedbackup_db, plant)


@cases(
    "ticket/restore/planted/live",
    "Restore and create write through nothing that was put in the live tree ({variant}).",
    PLANTED,
)
def test_nothing_in_the_live_tree_is_written_through(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[Path, Path], None]
) -> None:
    _expect_nothing_written_through(reedbackup, reedbackup_db, variant)


def _expect_nothing_written_through(
    reedbackup: TicketImplementation, base: Path, plant: Callable[[Path, Path], None]
) -> None:
    scene = _scene(reedbackup, base)
    with reedbackup.connection.waited_for(PATIENCE_SECS):
        with _copy(scene) as copy:
            outside, planted = _plant_live(copy, plant)
            # Whether it is refused is for create/special-file.
            _answered("create_backup", lambda: reedbackup.create_backup(copy))
            expect_outside(copy.parent / "outside", outside, "after create")
            expect_same_tree("tables/ and indices/, after create", live_tree(copy), planted)
        with _copy(scene) as copy:
            outside, planted = _plant_live(copy, plant)
            answer = _answered(
                "a restore", lambda: reedbackup.restore_point_in_time(copy, scene.target)
            )
            expect_outside(copy.parent / "outside", outside, "after restore")
            wanted = scene.backed_up if isinstance(answer, Answered) else planted
            expect_same_tree("tables/ and indices/, after restore", live_tree(copy), wanted)


@contextmanager
def _copy(scene: Scene) -> Iterator[Path]:
    """Another base like this one, for a while."""
    copy = scene.base.parent / "copy" / ".reed"
    copy.parent.mkdir()
    clone_tree(scene.base, copy)
    try:
        yield copy
    finally:
        remove_tree(copy.parent)


def _plant_live(base: Path, plant: Callable[[Path, Path], None]) -> tuple[Tree, Tree]:
    """What is outside then, and what is in the live tree."""
    outside = base.parent / "outside"
    outside.mkdir()
    plant(base, outside)
    return Tree.read(outside), live_tree(base)


# Under names of its own -----------------------------------------------------------


MakePlanting = Callable[[TicketImplementation, Scene], Planting]


@cases(
    "ticket/restore/planted",
    "Whatever lies under the names of a call's temporary files, none is written through"
    " ({variant}).",
    {"names-of-restore": Planting.in_restore, "names-of-create": Planting.in_create},
)
def test_none_of_its_names_is_written_through(
    reedbackup: TicketImplementation, reedbackup_db: Path, tmp_path: Path, variant: MakePlanting
) -> None:
    scene = _scene(reedbackup, reedbackup_db)
    variant(reedbackup, scene).under_each_name(Sweeper(tmp_path / "kept"))


@cases(
    "ticket/restore/planted",
    "Whatever comes under any name that a call uses, and when, none is written through"
    " ({variant}).",
    {"restore-at-each-call": Planting.in_restore, "create-at-each-call": Planting.in_create},
    kind=Kind.SWEEP,
    weight=2,
)
def test_nothing_that_comes_meanwhile_is_written_through(
    reedbackup: TicketImplementation,
    reedbackup_make_db: MakeDatabase,
    reedbackup_sweep: Sweeper,
    variant: MakePlanting,
) -> None:
    scene = _scene(reedbackup, reedbackup_make_db(FEW))
    variant(reedbackup, scene).everywhere(reedbackup_sweep)


@cases(
    "ticket/restore/planted",
    "What others put in the way of a call after a kill is written through by none ({variant}).",
    {"after-killed-restore": Planting.in_restore, "after-killed-create": Planting.in_create},
    kind=Kind.SWEEP,
)
def test_nothing_is_written_through_after_a_kill(
    reedbackup: TicketImplementation,
    reedbackup_make_db: MakeDatabase,
    reedbackup_sweep: Sweeper,
    variant: MakePlanting,
) -> None:
    scene = _scene(reedbackup, reedbackup_make_db(FEW))
    sweep_after_kills(reedbackup_sweep, variant(reedbackup, scene))


def _scene(reedbackup: TicketImplementation, base: Path) -> Scene:
    backed_up = live_tree(base)
    if reedbackup.clock.is_settable:
        reedbackup.clock.set(NOW)
    target = backup_around(reedbackup, base)
    change_everything(base)
    reedbackup.clock.advance() if reedbackup.clock.is_settable else None
    return Scene(base, target, live_tree(base), backed_up)


def _answered(what: str, call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except TimedOut:
        raise hung(what, PATIENCE_SECS) from None
