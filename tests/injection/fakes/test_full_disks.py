"""Calls on disks of every size: who loses something, or leaves something, is seen there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.fakes.full import FullDisks, sweep_full_disks
from pytest_reedbackup.injection.sweeps.scenes import tiny_scene
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

Call = type[Create] | type[Restore]
MakeDisks = Callable[[str, Call], FullDisks]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[str], TicketImplementation]]:
    """Connects an implementation, by its option."""
    with ExitStack() as running:

        def connected(option: str) -> TicketImplementation:
            connection = Connection(option, tmp_path)
            running.callback(connection.close)
            implementation: TicketImplementation = TicketImplementation(connection, "ticket")
            return implementation

        yield connected


@pytest.fixture
def disks(connect: Callable[[str], TicketImplementation], tmp_path: Path) -> MakeDisks:
    """Prepares a call of an implementation, by its option, on disks in memory."""

    def made(option: str, call: Call) -> FullDisks:
        implementation = connect(option)
        (tmp_path / "prepared").mkdir()
        scene = tiny_scene(implementation, tmp_path / "prepared" / ".reed")
        scratch, kept = tmp_path / "scratch", tmp_path / "kept"
        return FullDisks(implementation, scene, call(implementation, scene), scratch, kept)

    return made


def broken(disks: FullDisks, most: int | None) -> list[PointResult]:
    """Return what was broken on the first so many disks."""
    results = [result for visit in disks.visits()[:most] for result in visit.made()]
    return [result for result in results if result.outcome is PointOutcome.BROKEN]


HONEST = ("python", "mutants.conforming:Conforming")


@pytest.mark.slow
@pytest.mark.parametrize("option", HONEST)
@pytest.mark.parametrize("call", [Create, Restore])
def test_who_keeps_its_promises_is_not_accused(disks: MakeDisks, option: str, call: Call) -> None:
    assert not broken(disks(option, call), 20)


@pytest.mark.campaign
@pytest.mark.parametrize("option", HONEST)
@pytest.mark.parametrize("call", [Create, Restore])
def test_who_keeps_its_promises_is_not_accused_on_any_disk(
    disks: MakeDisks, option: str, call: Call
) -> None:
    assert not broken(disks(option, call), None)


WRONG: dict[str, tuple[Call, str]] = {
    "Swallowing": (Create, "the value of create_backup"),
    "WritingOnce": (Create, "the value of create_backup"),
    "Exiting": (Create, "a call whose system call fails"),
    "Littering": (Create, "the files in backups/"),
    "Undocumented": (Create, "the error of a call on a full disk"),
    "CostingABackup": (Create, "archives and all else right after the answer"),
    "InPlace": (Restore, "tables/ and indices/ right after the answer"),
}


@pytest.mark.parametrize("name", WRONG)
def test_who_breaks_a_promise_on_a_full_disk_is_seen(disks: MakeDisks, name: str) -> None:
    call, detail = WRONG[name]
    results = broken(disks(f"injection.fakes.writers:{name}", call), 6)
    assert results
    assert detail in {result.detail for result in results}
    assert all((Path(result.kept) / "tables").is_dir() for result in results if name != "InPlace")


def test_the_first_disks_are_the_ends_and_each_room_comes_once(disks: MakeDisks) -> None:
    visits = disks("mutants.conforming:Conforming", Restore).visits()
    rooms = [visit.number for visit in visits]
    most = max(rooms)
    assert rooms[:3] == [most, 0, most - 1]
    assert sorted(rooms) == list(range(most + 1))
    assert (visits[1].point, visits[1].about) == ("0 bytes", "free")


def test_the_points_are_the_same_in_each_worker(
    connect: Callable[[str], TicketImplementation], tmp_path: Path
) -> None:
    implementation = connect("python")
    names = []
    for number in range(2):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        scene = tiny_scene(implementation, folder / ".reed")
        create = Create(implementation, scene)
        disks = FullDisks(implementation, scene, create, folder / "scratch", folder / "kept")
        names.append([visit.point for visit in disks.visits()])
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("injection.fakes.writers:ByAProcess", "it uses subprocess.Popen"),
        ("injection.fakes.writers:ByALibrary", "something else than on a real one"),
        ("sh -c 'exec python -m reedbase_backup serve python'", "in a process of its own"),
    ],
)
def test_who_is_not_held_to_a_disk_in_memory_is_told_why_and_not_accused(
    connect: Callable[[str], TicketImplementation], tmp_path: Path, option: str, reason: str
) -> None:
    with pytest.raises(MissingCapability, match=reason) as missing:
        sweep_full_disks(connect(option), Sweeper(tmp_path / "kept"), Create)
    assert not missing.value.tool


def test_who_is_served_by_a_child_for_the_clocks_sake_is_not_held_to_it(
    connect: Callable[[str], TicketImplementation], tmp_path: Path
) -> None:
    implementation = connect("mutants.conforming:Conforming")
    assert implementation.connection.is_called_here
    implementation.connection._runner.is_served = True
    with pytest.raises(MissingCapability, match="in a process of its own"):
        sweep_full_disks(implementation, Sweeper(tmp_path / "kept"), Create)
