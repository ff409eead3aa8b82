"""Names that a call comes to because another was killed before it, taken by others meanwhile.

What a killed call has left, the next one finishes, takes back or clears away. Either others take
a name that is free and that the next call uses then, or they put what was left elsewhere, and lead
to it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from pytest_reedbackup.checks.expectations import expect_old_or_new
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.injection.planting import (
    ANYWHERE,
    NAMING,
    Name,
    Outside,
    Plant,
    names_left,
    names_used,
)
from pytest_reedbackup.injection.sweeps.disturbed import Disturbed, disturbed
from pytest_reedbackup.injection.sweeps.halted.calling import Calling
from pytest_reedbackup.injection.sweeps.halted.planted import Planting, patience_secs, twice
from pytest_reedbackup.injection.sweeps.halted.taking import expect_outside, taken
from pytest_reedbackup.injection.sweeps.keeping import Keeping, not_reached, stood
from pytest_reedbackup.injection.sweeps.reserve import Reserve
from pytest_reedbackup.injection.sweeps.sampling import evenly, in_turn, turn_by_turn
from pytest_reedbackup.injection.sweeps.stages import FolderStage, in_memory
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.injection.sweeps.visiting import KILL
from pytest_reedbackup.injection.traced.attached import Injection
from pytest_reedbackup.injection.traced.points import CHANGING, Point, changing_points, require_seen
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.traced.system_calls import SystemCall
from pytest_reedbackup.model.sweep import PointOutcome, PointResult
from pytest_reedbackup.views.base import ROOTS, live_tree
from pytest_reedbackup.views.folders import before_call

_CREATE, _RESTORE = "create", "restore"
_ELSEWHERE = "what was left elsewhere"


def sweep_after_kills(sweeper: Sweeper, killed: Planting) -> None:
    """Kill a call at each of its points, and plant each thing under each name of the next call.

    Raise as `Sweeper.sweep` does, and MissingCapability where strace is of no use.
    """
    with ExitStack() as running:
        stage = running.enter_context(in_memory(killed.scene.base))
        reserve = running.enter_context(Reserve(killed.implementation))
        kills = _Kills(killed, stage, reserve)
        points = kills.points()
        calling = Calling(killed.implementation, patience_secs(kills.took_secs))
        running.enter_context(calling)
        visits = _AfterKills(kills, calling, Keeping(sweeper.kept)).visits(points)
        sweeper.sweep(visits, [before_call(killed.scene.base)])


@dataclass(frozen=True)
class _Left:
    """What is there after a kill."""

    base: Path
    """Where it is used."""
    kept: Path
    """The folder around the base, as it was left."""
    names: Sequence[Name]
    """What was not there before the killed call."""

    def holds(self, name: Name) -> bool:
        """Return whether a name is in a folder that the killed call made, or in the live tree.

        Others who come there can undo what it did, or change what is there: nothing is promised
        then of the trees.
        """
        live = [f"{self.base.name}/{root}" for root in ROOTS]
        folders = [*live, *(left.path for left in self.names)]
        return name.path in live or any(name.path.startswith(f"{each}/") for each in folders)

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Give it anew, with what lies beside the base."""
        remove_tree(self.base.parent)
        clone_tree(self.kept, self.base.parent)
        yield self.base


@dataclass
class _Kills:
    """A call that is killed at its points; what is left is kept for as long as the stage is."""

    planting: Planting
    stage: FolderStage
    reserve: Reserve
    took_secs: float = field(default=math.inf, init=False)
    """How long the call takes undisturbed."""
    _left: dict[Point, _Left | None] = field(default_factory=dict, init=False)

    def points(self) -> list[Point]:
        """Return the points of an undisturbed call, and see how long it takes.

        Only one of those between which no name came or went: each leaves the same names.
        """
        with self.stage.used() as base:
            call = self.traced(self.planting, base, CHANGING)
            points = changing_points(call.trace, str(base.parent.resolve()))
        return [
            point
            for point in require_seen(points)
            if not point.thread and point.after in ("", *NAMING)
        ]

    def left(self, point: Point) -> _Left | None:
        """Return what a kill at a point leaves; None where the call does not come there."""
        if point not in self._left:
            self._left[point] = self._killed(point)
        return self._left[point]

    def traced(self, planting: Planting, base: Path, calls: Sequence[str]) -> Disturbed:
        """Have a new process make a call, which is to succeed."""
        made = self._made(planting, base, calls, None)
        made.expect_success()
        return made

    def _killed(self, point: Point) -> _Left | None:
        around = self.stage.base.parent
        kept = around.with_name(f"killed at {point.id}")
        with self.stage.used() as base:
            injection = Injection.of_signal(point, KILL)
            made = self._made(self.planting, base, CHANGING, injection)
            if KILL not in made.signals:
                return None
            remove_tree(kept)
            clone_tree(around, kept)
        with self.stage.used():
            names = names_left(kept, around)
        return _Left(self.stage.base, kept, names)

    def _made(
        self, planting: Planting, base: Path, calls: Sequence[str], injection: Injection | None
    ) -> Disturbed:
        def make(process: Served) -> Answer:
            began = time.monotonic()
            answer = planting.call(process, base)
            self.took_secs = min(self.took_secs, time.monotonic() - began)
            return answer

        with self.reserve.process() as process:
            return disturbed(process.pid, partial(make, process), calls, injection)


@dataclass(frozen=True)
class _Used:
    """What the next call does after a kill."""

    names: Sequence[Name]
    """The free ones that it uses."""
    is_whole: bool
    """Whether it leaves one whole tree.

    Not so who knows trees by their inodes: what a kill leaves is copied for each call here.
    """


@dataclass(frozen=True)
class _Next:
    """The call that comes next after a kill, and what others do before it."""

    word: str
    planting: Planting
    kind: str


@dataclass(frozen=True)
class _AfterKills:
    """The visits of a call that is killed."""

    kills: _Kills
    calling: Calling
    keeping: Keeping
    _used: dict[tuple[Point, str], _Used] = field(default_factory=dict, init=False)

    def visits(self, points: Sequence[Point]) -> list[Visit]:
        """Return those of each point, with each call that may come next, and each thing planted."""
        killed = self.kills.planting
        make: Mapping[str, Callable[..., Planting]] = {
            _RESTORE: Planting.in_restore,
            _CREATE: Planting.in_create,
        }
        plantings = {word: of(killed.implementation, killed.scene) for word, of in make.items()}
        # Every other one is of what was left, of which there is less, and which is seen at once.
        visits = []
        for kinds in ([_ELSEWHERE], [*ANYWHERE]):
            ways = [_Next(*each, kind) for kind in kinds for each in plantings.items()]
            visited = turn_by_turn(evenly(points), ways)
            visits.append([self._visit(point, way) for point, way in visited])
        return list(in_turn(visits))

    def _visit(self, point: Point, way: _Next) -> Visit:
        named = f"{point.id} {way.word} {way.kind}"
        judge = partial(self._visited, named, point, way)
        return Visit(named, point.path, judge, f"before {way.word}")

    def _visited(self, named: str, point: Point, way: _Next) -> Sequence[PointResult]:
        left = self.kills.left(point)
        if left is None:
            return [not_reached(named, point.path)]
        results: list[PointResult] = []
        for moment, judge in self._plants(left, point, way):
            results.append(msgspec.structs.replace(judge(named), moment=moment))
            if results[-1].outcome is PointOutcome.BROKEN:
                break
        return results or [stood(named, point.path)]  # there is no name to be taken

    def _plants(
        self, left: _Left, point: Point, way: _Next
    ) -> Iterator[tuple[str, Callable[[str], PointResult]]]:
        """Yield what others do in turn, in words, and what tries and judges it."""
        if way.kind == _ELSEWHERE:
            for name in left.names:
                for what, plant in _elsewhere(left, name).items():
                    moment = f"{what} of {name.path}" if what else name.path
                    yield moment, partial(self._judged, left, name, plant, way, False)
            return
        used = self._undisturbed(left, point, way)
        for name in used.names:
            plant = ANYWHERE[way.kind]
            is_promised = used.is_whole and not left.holds(name)
            yield name.path, partial(self._judged, left, name, plant, way, is_promised)

    def _undisturbed(self, left: _Left, point: Point, way: _Next) -> _Used:
        """Return what the next call does where nothing is planted."""
        if (point, way.word) not in self._used:
            scene, trees = way.planting.scene, []

            def trace(base: Path) -> Sequence[SystemCall]:
                made = self.kills.traced(way.planting, base, NAMING).trace
                trees.append(live_tree(base))
                return made

            names = names_used(way.planting.implementation.clock, twice(left.used), trace)
            is_whole = all(tree in (scene.live, scene.backed_up) for tree in trees)
            self._used[point, way.word] = _Used(names, is_whole)
        return self._used[point, way.word]

    def _judged(
        self, left: _Left, name: Name, plant: Plant, way: _Next, is_promised: bool, named: str
    ) -> PointResult:
        what = f"after a kill, with {way.kind} under the name {name.path}"
        with left.used() as base:
            process = self.calling.process

            with taken(base, process, name, plant) as (outside, before):

                def check() -> None:
                    call = partial(way.planting.call, process, base)
                    answer = self.calling.answered(f"{way.word} {what}", call)
                    expect_outside(outside.folder, before, what)
                    if is_promised:
                        self._expect_answered(base, answer, way, what)

                result = self.keeping.judged(named, name.path, base, check)
            if is_promised and result.outcome is PointOutcome.KEPT:
                process = self.calling.process
                mended = partial(way.planting.expect_mended, process, base, what)
                result = self.keeping.judged(named, name.path, base, mended)
            return result

    def _expect_answered(self, base: Path, answer: Answer, way: _Next, what: str) -> None:
        if isinstance(answer, Answered):
            # What a killed create has published, a restore may be to pick.
            way.planting.expect_done(base, answer, what) if way.word == _CREATE else None
            scene = way.planting.scene
            told = f"tables/ and indices/, {what}"
            expect_old_or_new(told, live_tree(base), scene.live, scene.backed_up)


def _elsewhere(left: _Left, name: Name) -> Mapping[str, Plant]:
    """Return how what was left is put outside, with a symlink to it: all of it, or a part."""

    def all_of_it(path: Path, _: Name, outside: Outside) -> None:
        _copy(left.kept / name.path, outside.folder / "left")
        path.symlink_to(outside.folder / "left")

    def part(child: str) -> Plant:
        def plant(path: Path, _: Name, outside: Outside) -> None:
            _copy(left.kept / name.path, path)
            (path / child).rename(outside.folder / "left")
            (path / child).symlink_to(outside.folder / "left")

        return plant

    return {"": all_of_it, **{child: part(child) for child in sorted(name.children)}}


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        clone_tree(source, target)
    elif source.is_file():
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode)
    else:
        target.symlink_to("nowhere")
