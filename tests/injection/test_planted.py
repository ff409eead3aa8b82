"""Plants that come while a call stands still: a look before the use helps nobody."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from injection.conftest import SweepOf
from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Entry

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.sweeps.halted.after_kill import sweep_after_kills
from pytest_reedbackup.injection.sweeps.halted.planted import Planting, Scene
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.views.base import live_tree

AT = 1_700_000_000
CONFORMING = "mutants.conforming:Conforming"


class ClearsThenWrites(Conforming):
    """What has the temporary file's name is removed, and what has it then is written to."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        partial.write_bytes(content)
        partial.chmod(0o600)


class ClearsThenStages(Conforming):
    """What has the staging folder's name is removed, and what has it then is filled."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        staging = base / ".staging"
        remove(staging)
        for folder in (staging, staging / "old", staging / "new"):
            folder.mkdir(0o700, exist_ok=True)
        for entry in entries:
            path = staging / "new" / entry.name
            (path if entry.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
            if not entry.is_folder:
                path.write_bytes(entry.content)
            path.chmod(entry.mode)
        (staging / "journal").touch()
        staging.rename(base / ".swap")
        self.finish_swap(base)


Swept = Callable[..., Sweep]
Way = Callable[[Sweeper, Planting], None]


def _everywhere(sweeper: Sweeper, planting: Planting) -> None:
    planting.everywhere(sweeper)


@pytest.fixture
def swept(tmp_path: Path, sweep_of: SweepOf) -> Swept:
    """Sweeps over what may be planted in a create or a restore, for so many seconds."""

    def sweep(
        option: str,
        make: Callable[..., Planting],
        secs: float | None = None,
        way: Way = _everywhere,
        is_enough: bool = False,
    ) -> Sweep:
        def planted(sweeper: Sweeper, implementation: TicketImplementation) -> None:
            way(sweeper, make(implementation, _scene(implementation, tmp_path)))

        return sweep_of(option, secs, planted, is_enough)

    return sweep


def _scene(implementation: TicketImplementation, folder: Path) -> Scene:
    base = folder / "prepared" / ".reed"
    build(DatabaseSpec(tables=2, rows=4, versions=1, indices=1), base)
    backed_up = live_tree(base)
    implementation.clock.set(AT)
    implementation.created(base)
    change_everything(base)
    implementation.clock.set(AT + 10)
    return Scene(base, AT, live_tree(base), backed_up)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "where"),
    [
        ("ClearsThenWrites", Planting.in_create, ".reed/backups/unfinished"),
        ("ClearsThenStages", Planting.in_restore, ".reed/.staging"),
    ],
)
def test_who_looks_before_it_writes_is_seen(
    swept: Swept, name: str, make: Callable[..., Planting], where: str
) -> None:
    sweep = swept(f"{__name__}:{name}", make, 120.0)
    assert {(result.row, result.path) for result in sweep.broken} >= {("during", where)}
    first = next(result for result in sweep.broken if result.row == "during")
    assert any(line.startswith("--- with a") for line in first.trace)
    assert all(re.match(r"--- |\w+\(.*\) = -?\d+$", line) for line in first.trace)
    assert any("(.reed/" in line for line in first.trace)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "where"),
    [("NotesWhatItFinishes", ".reed/.finishing"), ("TrustsItsJournal", ".reed/.swap")],
)
def test_who_writes_through_a_name_only_after_a_kill_is_seen(
    swept: Swept, name: str, where: str
) -> None:
    sweep = swept(
        f"mutants.restore.planted:{name}",
        Planting.in_restore,
        60.0,
        sweep_after_kills,
        is_enough=True,
    )
    assert {result.path for result in sweep.broken} == {where}
    assert (Path(sweep.broken[0].kept) / ".reed" / "tables").exists()


@pytest.mark.campaign
@pytest.mark.parametrize("make", [Planting.in_create, Planting.in_restore])
@pytest.mark.parametrize("option", ["python", CONFORMING])
def test_who_writes_only_to_what_it_made_is_not_accused_after_a_kill(
    swept: Swept, option: str, make: Callable[..., Planting]
) -> None:
    sweep = swept(option, make, 15.0, sweep_after_kills)
    assert [(result.place, result.detail, result.found) for result in sweep.broken] == []
    assert sweep.visited > 3


def _between_two_exchanges(sweeper: Sweeper, killed: Planting) -> None:
    only = ("renameat2#2 create a symlink to a file",)
    sweep_after_kills(dataclasses.replace(sweeper, only=only), killed)


def test_who_knows_trees_by_their_inodes_is_not_accused_for_copies_of_them(swept: Swept) -> None:
    option = "mutants.durable.exchanging:Exchanging"
    sweep = swept(option, Planting.in_restore, None, _between_two_exchanges)
    assert [(result.place, result.detail, result.found) for result in sweep.broken] == []
    assert sweep.visited == 1


@pytest.mark.slow
@pytest.mark.parametrize("make", [Planting.in_create, Planting.in_restore])
@pytest.mark.parametrize("option", ["python", CONFORMING])
def test_who_writes_only_to_what_it_made_is_not_accused(
    swept: Swept, option: str, make: Callable[..., Planting]
) -> None:
    sweep = swept(option, make, 15.0)
    assert [(result.place, result.detail, result.found) for result in sweep.broken] == []
    assert sweep.visited > 3


@pytest.mark.campaign
@pytest.mark.parametrize("way", [_everywhere, sweep_after_kills])
@pytest.mark.parametrize("make", [Planting.in_create, Planting.in_restore])
@pytest.mark.parametrize("option", ["python", CONFORMING])
def test_who_writes_only_to_what_it_made_is_accused_nowhere(
    swept: Swept, option: str, make: Callable[..., Planting], way: Way
) -> None:
    broken = swept(option, make, None, way).broken
    assert [(result.place, result.detail, result.found) for result in broken] == []
