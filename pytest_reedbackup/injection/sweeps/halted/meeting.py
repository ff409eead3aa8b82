"""Two processes on one base: one is stopped after each of its calls, and the other works meanwhile.

The other one may wait for the first, so that one is let go on after a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import read_tree
from pytest_reedbackup.implementations.answers import Answer, Answered, refusal_of, value_of
from pytest_reedbackup.injection.sweeps.halted.alone import Alone, alone
from pytest_reedbackup.injection.sweeps.keeping import Keeping, not_reached
from pytest_reedbackup.injection.sweeps.sampling import mixed
from pytest_reedbackup.injection.sweeps.stages import FolderStage, in_memory
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.together import BUSY
from pytest_reedbackup.injection.traced.halting import (
    halt_at,
    halting,
    until_done_or_waiting,
)
from pytest_reedbackup.injection.traced.points import Point
from pytest_reedbackup.injection.traced.served import Call, Served, served
from pytest_reedbackup.model.sweep import PointResult
from pytest_reedbackup.views.base import below_roots, live_tree
from pytest_reedbackup.views.folders import before_call
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import TicketBackup

_PRUNED_BEFORE = 1_000_000_000
"""Backups of a time before may be pruned by a create."""

OLD, NEW = 7_000_000_000, 8_000_000_000
"""Of when the backups of the two trees are: of a time to come, so that no create prunes them."""

_LEAST_PATIENCE_SECS = 0.1
_PATIENCE = 4
"""How many times as long as alone the other call is waited for."""


@dataclass(frozen=True)
class Bases:
    """Databases with the backups OLD and NEW of two trees, the second of which is the live one."""

    small: Path
    """One without other backups."""
    full: Path
    """One with as many as are kept, of the first tree and of long ago."""
    trees: tuple[Tree, Tree]


def expect_no_mixture(what: str, trees: Sequence[Tree], tree: Tree) -> None:
    """Raise BrokenPromise unless what is below the roots is all of one of `trees`."""
    found = [below_roots(one).differences(below_roots(tree), limit=5) for one in trees]
    expect_that(
        not all(found),
        what,
        expected="all of one tree or all of the other" if len(trees) > 1 else "all of one tree",
        found="\nand against the other:\n".join("\n".join(each) for each in found),
    )


def sweep_meetings(sweeper: Sweeper, implementation: TicketImplementation, bases: Bases) -> None:
    """Have a second call made at each point of a first, of each pair of calls.

    Raise as `Sweeper.sweep` does, and MissingCapability where strace is of no use.
    """
    with ExitStack() as stack:
        first, second = (stack.enter_context(served(implementation)) for _ in range(2))
        keeping = Keeping(sweeper.kept)
        whole: set[bytes] = set()
        meetings: list[list[Visit]] = []
        for base, pairs in ((bases.small, _IN_SMALL), (bases.full, _IN_FULL)):
            stage = stack.enter_context(in_memory(base))
            place = _Place(first, second, stage, bases.trees, keeping, whole)
            meetings += [place.visits(*pair) for pair in pairs]
        wholes = [before_call(base) for base in (bases.small, bases.full)]
        sweeper.sweep(mixed(meetings), wholes)


def _restore(target: int) -> Call:
    return lambda process, base: process.restore_point_in_time(base, target)


_CALLS: Mapping[str, Call] = {
    "create": Served.create_backup,
    "restore": _restore(OLD),
    "restore of the later": _restore(NEW),
    "list": Served.list_backups,
}
_IN_SMALL = (
    ("create", "restore"),
    ("restore", "create"),
    ("restore", "restore of the later"),
    ("restore", "list"),
    ("list", "restore"),
)
# Here a create prunes.
_IN_FULL = (("create", "create"), ("create", "list"), ("list", "create"))
_RESTORES = {"restore": 0, "restore of the later": 1}
"""Which of the two trees a call brings back."""


@dataclass
class _Place:
    """A database on which two processes meet."""

    first: Served
    """The process that stands still."""
    second: Served
    stage: FolderStage
    trees: tuple[Tree, Tree]
    keeping: Keeping
    whole: set[bytes]
    """Archives that are known to be whole."""
    _alone: dict[str, Alone] = field(default_factory=dict, init=False)

    def visits(self, stopped: str, other: str) -> list[Visit]:
        """Return visits, in an even order, of each point of a call `stopped`, beside `other`."""
        patience_secs = max(_LEAST_PATIENCE_SECS, _PATIENCE * self._of(other).secs)
        visits = []
        for point, place in self._of(stopped).evenly():
            met = _Met(self, stopped, other, point, patience_secs)
            pair = f"{stopped}+{other}"
            visits.append(Visit(met.named, point.path, met.visited, pair, place))
        return visits

    def _of(self, call: str) -> Alone:
        if call not in self._alone:
            self._alone[call] = alone(self.first, self.stage, _CALLS[call], call)
        return self._alone[call]


@dataclass(frozen=True)
class _Met:
    """A call that stands still at a point, and another that is made meanwhile."""

    place: _Place
    stopped: str
    other: str
    point: Point
    patience_secs: float

    @property
    def named(self) -> str:
        return f"{self.stopped}+{self.other} {self.point.id}"

    def visited(self) -> Sequence[PointResult]:
        """Make both calls, and judge what is left."""
        place, point = self.place, self.point
        with ExitStack() as running:
            base = running.enter_context(place.stage.used())
            stopped = partial(_CALLS[self.stopped], place.first, base)
            call = running.enter_context(halting(place.first, stopped, halt_at(point)))
            if not call.halts():
                return [not_reached(self.named, point.path)]
            with ThreadPoolExecutor(1) as pool:
                meanwhile = pool.submit(_CALLS[self.other], place.second, base)
                until_done_or_waiting(
                    meanwhile, place.second.pid, place.first.pid, self.patience_secs
                )
                answers = call.answer(), meanwhile.result()
            trace = partial(call.around, f"{self.other} after {point.id}", base.parent)
            check = partial(self._expect_all_well, base, answers)
            return [place.keeping.judged(self.named, point.path, base, check, trace)]

    def _expect_all_well(self, base: Path, answers: tuple[Answer, Answer]) -> None:
        listed = value_of(self.place.second.list_backups(base), "list_backups after both")
        by_id = {info.id: info for info in listed}
        created: list[str] = []
        restored: list[Tree] = []
        for call, answer in zip((self.stopped, self.other), answers, strict=True):
            if call == "list":
                infos = value_of(answer, "list_backups beside another call")
                self._expect_whole(base, infos, by_id, "a list beside another call")
            elif not isinstance(answer, Answered):
                refusal_of(answer, f"{call} beside another call", BUSY)
            elif call == "create":
                made = answer.value
                expect(f"what is listed of {made.id}", by_id.get(made.id), made)
                created.append(made.id)
            else:
                restored.append(self.place.trees[_RESTORES[call]])
        expect("ids that two creates returned", len(set(created)), len(created))
        self._expect_whole(base, listed, by_id, "a list after both")
        # Of two restores any may have been the last.
        possible = restored if len(restored) == 1 else self.place.trees
        expect_no_mixture("tables/ and indices/ after both", possible, live_tree(base))
        value_of(self.place.second.restore_point_in_time(base, OLD), "a restore after both")
        expect_no_mixture(
            "tables/ and indices/ restored after both", self.place.trees[:1], live_tree(base)
        )

    def _expect_whole(
        self, base: Path, infos: Sequence[TicketBackup], now: Mapping[str, TicketBackup], what: str
    ) -> None:
        """Hold every backup of a list to be whole, and shown as it is `now`, or pruned since."""
        for info in infos:
            archive = archive_of(base, info.id)
            if info.id not in now:
                is_pruned = info.timestamp < _PRUNED_BEFORE and not archive.exists()
                expect(f"whether {info.id}, shown in {what}, was pruned", is_pruned, True)
                continue
            expect(f"what {what} shows of {info.id}", info, now[info.id])
            content = archive.read_bytes()
            expect(f"size_bytes of {info.id} in {what}", info.size_bytes, len(content))
            if content not in self.place.whole:
                expect_no_mixture(f"what is in {info.id}", self.place.trees, read_tree(archive))
                self.place.whole.add(content)
