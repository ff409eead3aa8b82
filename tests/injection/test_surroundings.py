"""Unkind surroundings: who swallows what is refused to him or leaves half of it is seen."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Archive, BackupInfo, Entry, ReedError, RestoreReport

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection import scratch
from pytest_reedbackup.injection.mounts import Mounts
from pytest_reedbackup.injection.surroundings import enduring
from pytest_reedbackup.injection.surroundings.enduring import Enduring
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep

pytestmark = pytest.mark.slow

CONFORMING = "mutants.conforming:Conforming"


class Claims(Conforming):
    """It reports a backup that it could not write."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        with suppress(OSError):
            super().write_archive(partial, content)
        partial.touch()


class Shortens(Conforming):
    """It takes for granted that a write writes all."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        super().write_archive(partial, b"")
        file = os.open(partial, os.O_WRONLY)
        try:
            os.write(file, content)
        finally:
            os.close(file)


class Litters(Conforming):
    """It leaves its partial file where it cannot be written, each time another one."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            (partial.parent / f"unfinished-{os.urandom(4).hex()}").touch()
            raise


class Clears(Conforming):
    """It takes the live tree away before it has another, and does not put it back."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        (base / "tables").rename(base / "before")
        bytearray(1 << 21)
        super().install(base, entries)
        remove(base / "before")


class Bare(Conforming):
    """It lets the system's errors through."""

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError as error:
            raise OSError(str(error)) from error


class Dies(Conforming):
    """It gives up its process."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        try:
            return super().create_backup(base_path, now_ns)
        except ReedError:
            os._exit(3)


class Pretends(Conforming):
    """It answers what there was before, where nothing can be written."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        try:
            return super().create_backup(base_path, now_ns)
        except ReedError:
            newest = self.list_backups(base_path)[0]
            return BackupInfo(**{**vars(newest), "id": f"{newest.id}-9"})


class Stays(Conforming):
    """It takes it for success that nothing could be written."""

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError:
            return RestoreReport(2, 1000, 1)


class Insists(Conforming):
    """It syncs the base, and takes it for an error that a folder cannot be synced."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        super().install(base, entries)


class Loosens(Conforming):
    """It does not care whether modes can be set."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        with suppress(PermissionError):
            super().write_entries(target, entries)


class Renames(Conforming):
    """It takes for granted that every folder can be renamed."""

    def has_mounts_below(self, live: Path) -> bool:
        return False

    def overwrite(self, live: Path, new: Path) -> None:
        new.rename(live)


class Unlinked(Conforming):
    """It publishes by a hard link, and where there are none not at all."""

    def store(self, base: Path, seconds: int) -> Archive:
        made = super().store(base, seconds)
        linked = made.path.with_name("linked")
        try:
            os.link(made.path, linked)
        except OSError:
            made.path.unlink()
        else:
            linked.unlink()
        return made


SweepIt = Callable[..., Sweep]


@pytest.fixture
def sweep(
    tmp_path: Path,
    tool: Callable[[str], str],
    tests_for_children: None,
    monkeypatch: pytest.MonkeyPatch,
) -> SweepIt:
    """Sweeps over surroundings of one call, at all points or at those that are given."""
    tool("strace")
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    for module in (scratch, enduring):
        monkeypatch.setattr(module, "memory", lambda: tmp_path)

    def sweep(
        implementation: object, call: type[Create] | type[Restore], way: str, *points: str
    ) -> Sweep:
        option = implementation if isinstance(implementation, str) else _option(implementation)
        connection = Connection(option, tmp_path)
        sweeps: list[Sweep] = []
        sweeper = Sweeper(tmp_path / "kept", only=points, record=sweeps.append)
        try:
            target: TicketImplementation = TicketImplementation(connection, "ticket")
            with suppress(BrokenPromise):
                getattr(Enduring(Sweeping(target, sweeper, call)), way)()
        finally:
            connection.close()
        assert not Mounts(tmp_path).points()
        return sweeps[0]

    return sweep


def _option(implementation: object) -> str:
    return f"{__name__}:{getattr(implementation, '__name__', '')}"


def broken(swept: Sweep) -> dict[str, PointResult]:
    return {r.point: r for r in swept.results if r.outcome is PointOutcome.BROKEN}


@pytest.mark.parametrize(
    ("mutant", "call", "way", "points"),
    [
        (Claims, Create, "full_disk", ["0 KiB", "0 KiB on ext4"]),
        (Litters, Create, "full_disk", ["4 KiB"]),
        (Clears, Restore, "full_disk", ["16 KiB", "8 inodes", "16 KiB on ext4"]),
        (Bare, Restore, "full_disk", ["8 KiB", "2 inodes"]),
        (Dies, Create, "limits", ["2 open files", "0 bytes"]),
        (Shortens, Create, "limits", ["512 bytes"]),
        (Clears, Restore, "limits", ["512 bytes", "1024 KiB of memory"]),
        (Pretends, Create, "read_only", ["read-only base", "read-only backups"]),
        (Stays, Restore, "read_only", ["read-only base"]),
        (Unlinked, Create, "unkind_file_systems", ["no hard links EPERM"]),
        (Insists, Restore, "unkind_file_systems", ["no sync of folders EINVAL", "fsync#1 EINVAL"]),
        (Renames, Restore, "placements", ["tables bound", "a lower layer"]),
        (Loosens, Restore, "unkind_file_systems", ["no modes EPERM"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_who_breaks_the_promise_is_seen(
    sweep: SweepIt,
    mutant: type[Conforming],
    call: type[Create] | type[Restore],
    way: str,
    points: list[str],
) -> None:
    found = broken(sweep(mutant, call, way, *points))
    assert sorted(found) == sorted(points)
    shown = [line for result in found.values() for line in result.trace]
    assert all(re.match(r"\w+\(.*\) = -1, made to fail$", line) for line in shown)
    assert bool(shown) == (way == "unkind_file_systems")


HONEST = {
    "full_disk": ["0 KiB", "8 KiB", "44 KiB", "0 inodes", "3 inodes", "9 inodes", "12 KiB on ext4"],
    "limits": ["0 open files", "1 open files", "512 bytes", "0 KiB of memory", "448 KiB of memory"],
    "read_only": [],
    "placements": ["tables and a table mounted", "all parts mounted", "a lower layer"],
    "unkind_file_systems": ["no flock ENOLCK", "no flock ENOSYS"],
}


# What is mounted is about what a restore brings back.
SWEEPS = [(call, way) for way in HONEST for call in (Create, Restore)]
SWEEPS.remove((Create, "placements"))


@pytest.mark.parametrize(("call", "way"), SWEEPS)
@pytest.mark.parametrize("option", ["python", CONFORMING])
def test_who_keeps_the_promise_is_not_accused(
    sweep: SweepIt, option: str, call: type[Create] | type[Restore], way: str
) -> None:
    swept = sweep(option, call, way, *HONEST[way])
    assert not broken(swept)
    assert swept.visited >= max(1, len(HONEST[way]))


def test_what_fails_in_the_midst_leaves_nothing_mounted(
    sweep: SweepIt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("in the midst")

    monkeypatch.setattr(Create, "expect_listed", fail)
    for way, point in [("full_disk", "0 KiB"), ("full_disk", "0 KiB on ext4"), ("read_only", "")]:
        with pytest.raises(RuntimeError, match="in the midst"):
            sweep("python", Create, way, *filter(None, [point]))
    assert not Mounts(tmp_path).points()
