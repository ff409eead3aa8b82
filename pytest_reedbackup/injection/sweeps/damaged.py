"""An archive that is damaged at every place, one after the other, and restored each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_named, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import tree_in
from pytest_reedbackup.implementations.answers import Answered, refusal_of
from pytest_reedbackup.injection.archive_damage import Damaged, Place, places_in
from pytest_reedbackup.injection.sweeps.keeping import Keeping, stood
from pytest_reedbackup.injection.sweeps.sampling import mixed
from pytest_reedbackup.injection.sweeps.stages import FolderStage, in_memory
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.sweep import PointOutcome, PointResult
from pytest_reedbackup.views.base import below_roots, live_tree
from pytest_reedbackup.views.folders import before_call
from pytest_reedbackup.views.tree import Tree

_CORRUPTED = ("BackupCorrupted",)
# A second archive behind the first may well be called unsafe.
_NOT_BORNE = ("BackupCorrupted", "BackupUnsafe")


def sweep_damage(
    sweeper: Sweeper, implementation: TicketImplementation, prepared: Path, backup: str, target: int
) -> None:
    """Damage an archive of the database `prepared` at each place, and restore it each time.

    `backup` is its id, `target` the time that restores it, to what is another tree than the live
    one. Raise as `Sweeper.sweep` does, and MissingCapability for a recording.
    """
    implementation.connection.command  # noqa: B018 - so much is not recorded
    name = f"{backup}.tar.gz"
    content = (prepared / "backups" / name).read_bytes()
    expect_that(
        tree_in(content) is not None,
        f"the archive {name}, before it is damaged",
        expected="a sound gzip member with a sound tar",
        found="what Python's gzip and tarfile cannot read",
        cause=Cause.ARCHIVE,
    )
    with in_memory(prepared) as stage:
        with stage.used() as base:
            untouched = _around(base, name)
        victim = _Victim(implementation, stage, backup, target, untouched, Keeping(sweeper.kept))
        places = mixed(places_in(content, thorough=sweeper.is_full))
        sweeper.sweep(
            [
                Visit(at.point, name, partial(victim.visited, at), at.row, at.number)
                for at in places
            ],
            [before_call(prepared)],
        )


@dataclass(frozen=True)
class _Victim:
    """A database, one archive of which is damaged."""

    implementation: TicketImplementation
    stage: FolderStage
    backup: str
    target: int
    untouched: Tree
    keeping: Keeping

    @property
    def base(self) -> Path:
        return self.stage.base

    @property
    def name(self) -> str:
        return f"{self.backup}.tar.gz"

    def visited(self, place: Place) -> Sequence[PointResult]:
        """Damage it at a place in each way; return the first that is broken, or that none is."""
        for damaged in place.damages():
            self._put_back()
            check = partial(self._expect_refused_or_right, damaged)
            result = self.keeping.judged(place.point, self.name, self.base, check)
            if result.outcome is PointOutcome.BROKEN:
                return [result]
        return [stood(place.point, self.name)]

    def _put_back(self) -> None:
        """Undo what a restore has done that was right."""
        if _around(self.base, self.name).differences(self.untouched, limit=1):
            with self.stage.used():
                pass

    def _expect_refused_or_right(self, damaged: Damaged) -> None:
        archive = self.base / "backups" / self.name
        archive.unlink()  # some file systems wait for the disk where a file is written over
        archive.write_bytes(damaged.content)
        what = f"a restore of {self.name} with {damaged.what}"
        answer = self.implementation.restore_point_in_time(self.base, self.target)
        bearable = damaged.bearable
        if isinstance(answer, Answered) and bearable is not None:
            found = below_roots(live_tree(self.base))
            expect_same_tree(f"tables/ and indices/ after {what}", found, below_roots(bearable))
            return
        expect_same_tree(f"the base after {what}", _around(self.base, self.name), self.untouched)
        kinds = _CORRUPTED if bearable is None else _NOT_BORNE
        expect_named(refusal_of(answer, what, kinds), self.backup, what)


def _around(base: Path, archive: str) -> Tree:
    """Return the base without the archive's content, which is damaged each time."""
    return Tree.read(base, exclude=(f"backups/{archive}",))
