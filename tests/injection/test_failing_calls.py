"""System calls that fail: who swallows an error or leaves half of it is seen, nobody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from injection.conftest import Prepare
from mutants.conforming import Conforming
from mutants.model import Archive, BackupInfo, ReedError

from pytest_reedbackup.injection.sweeps.failing import Failing
from pytest_reedbackup.injection.traced.failures import Failure
from pytest_reedbackup.model.sweep import PointOutcome, PointResult

pytestmark = pytest.mark.slow


class Bare(Conforming):
    """It lets the system's errors through."""

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        try:
            return super().create_backup(base_path, now_ns)
        except ReedError as error:
            raise OSError(str(error)) from error


class Dies(Conforming):
    """It gives up its process where the disk fails."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            os._exit(3)


class Claims(Conforming):
    """It reports what it could not write."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            partial.write_bytes(content[: len(content) // 2])


class Publishes(Conforming):
    """It answers an error though its backup is there."""

    def prune(self, base: Path, made: Archive) -> None:
        with open(made.path, "rb") as file:
            os.fsync(file.fileno())

    def take_back(self, path: Path) -> None:
        pass


class Forgets(Conforming):
    """It leaves its partial file where it cannot be renamed, under a name of its own."""

    def store(self, base: Path, seconds: int) -> Archive:
        self.make_backups(base / "backups")
        partial = base / "backups" / f"unfinished-{os.urandom(4).hex()}"
        self.write_archive(partial, self.compress(self.pack(self.source(base))))
        path = self.free_name(base, seconds)
        partial.rename(path)
        made = self.parse(path)
        assert made is not None
        return made


class Waits(Conforming):
    """It tries again for as long as the disk fails."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        while True:
            try:
                return super().write_archive(partial, content)
            except OSError:
                continue


def result(
    failing: Failing, call: str, error: str, path: str, *, for_good: bool = False
) -> PointResult:
    """Return what came of the last such call that is about `path`."""
    points = [p for p in failing.points() if p.call == call and path in p.path]
    (only,) = failing.visit(Failure(points[-1], error, for_good))
    return only


def of_create(
    prepare: Prepare, mutant: type[Conforming], call: str, error: str, path: str, **how: bool
) -> PointResult:
    prepared = prepare(f"{mutant.__module__}:{mutant.__name__}")
    return result(prepared.failing(prepared.create), call, error, path, **how)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for-good"])
def test_an_error_that_is_answered_is_no_fault(prepare: Prepare, for_good: bool) -> None:
    found = of_create(prepare, Conforming, "openat", "ENOSPC", "unfinished", for_good=for_good)
    assert found.outcome is PointOutcome.KEPT


def test_an_interrupted_call_that_is_tried_again_is_no_fault(prepare: Prepare) -> None:
    found = of_create(prepare, Conforming, "openat", "EINTR", "unfinished")
    assert found.outcome is PointOutcome.KEPT


BROKEN: dict[str, tuple[type[Conforming], str, str, str, str]] = {
    "an error of no documented kind": (Bare, "openat", "ENOSPC", "unfinished", "documented kind"),
    "an adapter that dies": (Dies, "write", "EIO", "unfinished", "exit status 3"),
    "a backup that is not whole": (Claims, "write", "ENOSPC", "unfinished", "create_backup"),
    "an error after the backup is there": (Publishes, "fsync", "EIO", "tar.gz", "after an error"),
    "a partial file that is left": (Forgets, "rename", "EIO", "tar.gz", "files in backups/"),
}


@pytest.mark.parametrize(("mutant", "call", "error", "path", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_seen(
    prepare: Prepare, mutant: type[Conforming], call: str, error: str, path: str, words: str
) -> None:
    found = of_create(prepare, mutant, call, error, path)
    assert found.outcome is PointOutcome.BROKEN
    assert words in f"{found.detail}; {found.expected}; {found.found}"
    assert any("= -1" in line for line in found.trace)
    assert Path(found.kept).is_dir()


def test_a_hang_is_seen(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_reedbackup.injection.traced.failures._MOST_SECS", 2.0)
    found = of_create(prepare, Waits, "write", "EIO", "unfinished", for_good=True)
    assert found.outcome is PointOutcome.BROKEN
    assert "no reply" in found.found


def test_a_call_comes_to_the_same_points_each_time(prepare: Prepare) -> None:
    """What an adapter waits in as strace is attached counts always, or never."""
    python = prepare("python")
    failing = python.failing(python.create)
    first, *others = [[point.id for point in failing.points()] for _ in range(8)]
    assert any(point.startswith("read#") for point in first)
    assert all(points == first for points in others)
