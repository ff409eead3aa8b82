"""Creates, restores and lists of one base by several processes, under contract `ticket`."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import pack, read_tree
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import (
    Answer,
    Answered,
    Refused,
    refusal_of,
    value_of,
)
from pytest_reedbackup.injection.sweeps.halted.meeting import (
    NEW,
    OLD,
    Bases,
    expect_no_mixture,
    sweep_meetings,
)
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.together import BUSY, Work, together
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.model.case import Kind, Waits, case
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.tree import Tree

# As long as it takes for so many of each, so that a busy machine sees as much as an idle one.
ENOUGH = 60
LEAST_SECS, MOST_SECS = 2.0, 30.0

# A list takes a tenth of a create's time: without a pause it would take most of a processor.
_BETWEEN_LISTS_SECS = 0.005

FILLER = 1_000_000
# So many newer ones at least, where an own backup may be pruned already.
UNTIL_PRUNED = RETENTION - 8

MISSING = "backups that are missing though their creates had succeeded"


@dataclass(frozen=True)
class Scene:
    """A base that is full of backups, two of them of trees that differ in everything."""

    base: Path
    trees: tuple[Tree, Tree]


@dataclass
class Seen:
    """What the processes saw."""

    made: list[Any] = field(default_factory=list)
    """What creates returned."""
    listed: list[Any] = field(default_factory=list)
    """Every BackupInfo that a list showed."""
    shown: set[str] = field(default_factory=set)
    whole: set[bytes] = field(default_factory=set)
    """Archives that hold one of the two trees."""
    restored: int = 0
    began: float = field(default_factory=time.monotonic)
    is_over: bool = False
    """Whether a process has ended, be it that something was found broken."""

    @property
    def ids(self) -> list[str]:
        """Those of the backups that creates returned."""
        return [info.id for info in self.made]

    def work(self, act: Callable[[Served], None]) -> Work:
        """Return the work of doing `act` again and again, until one process has done enough."""

        def work(process: Served) -> None:
            try:
                while not self._is_enough():
                    act(process)
            finally:
                self.is_over = True

        return work

    def _is_enough(self) -> bool:
        """Whether the processes have worked side by side often enough, or for long enough."""
        took_secs = time.monotonic() - self.began
        is_often = min(len(self.made), self.restored) >= ENOUGH
        return self.is_over or took_secs > MOST_SECS or (took_secs > LEAST_SECS and is_often)

    def expect_whole(self, what: str, content: bytes, scene: Scene) -> None:
        """Expect of an archive, as it is at this moment, that it holds one of the two trees."""
        if content in self.whole:
            return
        with tempfile.NamedTemporaryFile(dir=scene.base.parent, suffix=".tar.gz") as copy:
            copy.write(content)
            copy.flush()
            expect_no_mixture(f"what is in {what}", scene.trees, read_tree(Path(copy.name)))
        self.whole.add(content)


@case(
    "ticket/create/concurrent",
    "Of creates, restores and lists at once, each backup is whole, and no tree is a mixture.",
    waits=Waits.OFTEN,
)
def test_several_processes_work_on_one_base(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base, trees = _full_base(reedbackup_make_db)
    scene, seen = Scene(base, trees), Seen()
    works = [
        seen.work(lambda process: _create(process, scene, seen)),
        seen.work(lambda process: _create(process, scene, seen)),
        seen.work(lambda process: _restore(process, scene, seen, (OLD, NEW))),
        seen.work(lambda process: _restore(process, scene, seen, (NEW, OLD))),
        seen.work(lambda process: _list(process, scene, seen)),
    ]
    together(reedbackup, works)
    expect_that(bool(seen.made), "what came of creates at once", expected="a backup", found="none")
    expect_that(seen.restored > 0, "what came of restores at once", expected="one", found="none")
    expect_no_mixture("tables/ and indices/ after restores at once", trees, live_tree(base))
    _expect_own_backups(scene.base, seen)
    _expect_same_infos(seen)
    _expect_all_well_afterwards(reedbackup, scene)


@case(
    "ticket/create/concurrent/each-call",
    "Whichever of its calls another process comes between, backups are whole, trees no mixture.",
    basic=True,  # processes at once meet at the moment only by chance
    kind=Kind.SWEEP,
    weight=3,
)
def test_another_process_comes_between_any_two_calls(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, reedbackup_sweep: Sweeper
) -> None:
    small = reedbackup_make_db(DatabaseSpec(tables=2, rows=4, versions=1))
    (small / "indices").mkdir()
    trees = _with_two_backups(small)
    full = small.parent / "full" / small.name
    full.parent.mkdir()
    clone_tree(small, full)
    _fill_up(full)
    sweep_meetings(reedbackup_sweep, reedbackup, Bases(small, full, trees))


def _full_base(make_database: MakeDatabase) -> tuple[Path, tuple[Tree, Tree]]:
    base = make_database(DatabaseSpec(tables=6, rows=120, versions=4, indices=3))
    trees = _with_two_backups(base)
    _fill_up(base)
    return base, trees


def _with_two_backups(base: Path) -> tuple[Tree, Tree]:
    """Back up two trees that differ in everything, the second of which stays the live one."""
    first = live_tree(base)
    pack(base, archive_of(base, str(OLD)))
    change_everything(base)
    for number, path in enumerate(sorted((base / "tables").glob("*/*.bsdiff"))):
        path.write_bytes(b"changed %d" % number)
    pack(base, archive_of(base, str(NEW)))
    return first, live_tree(base)


def _fill_up(base: Path) -> None:
    """Add older backups, to as many as are kept."""
    for number in range(RETENTION - 2):
        shutil.copyfile(archive_of(base, str(OLD)), archive_of(base, str(FILLER + number)))


def _create(process: Served, scene: Scene, seen: Seen) -> None:
    answer = process.create_backup(scene.base)
    if _has_come_to_its_turn(answer, "create_backup"):
        info = value_of(answer, "create_backup")
        seen.made.append(info)
        number = len(seen.made)
        twice = [own for own in seen.ids if own == info.id][1:]
        expect("ids that two creates returned", twice, [])
        _look_at_own(scene, info, seen, number)


def _look_at_own(scene: Scene, info: Any, seen: Seen, number: int) -> None:
    try:
        content = archive_of(scene.base, info.id).read_bytes()
    except FileNotFoundError:
        is_expected = len(seen.made) - number < UNTIL_PRUNED
        expect(MISSING, [info.id] if is_expected else [], [])
        return
    expect(f"size_bytes of {info.id}", info.size_bytes, len(content))
    what = f"the archive {info.id}, whose create had reported success"
    seen.expect_whole(what, content, scene)


def _restore(process: Served, scene: Scene, seen: Seen, targets: Sequence[int]) -> None:
    for target in targets:
        answer = process.restore_point_in_time(scene.base, target)
        seen.restored += _has_come_to_its_turn(answer, f"restore_point_in_time to {target}")


def _list(process: Served, scene: Scene, seen: Seen) -> None:
    time.sleep(_BETWEEN_LISTS_SECS)
    for info in value_of(process.list_backups(scene.base), "list_backups beside creates"):
        seen.listed.append(info)
        if info.id not in seen.shown:
            seen.shown.add(info.id)
            _look_at_shown(scene, info.id, seen)


def _look_at_shown(scene: Scene, backup_id: str, seen: Seen) -> None:
    try:
        content = archive_of(scene.base, backup_id).read_bytes()
    except FileNotFoundError:
        return  # What was pruned meanwhile is none that the list should not have shown.
    what = f"the archive {backup_id} as it was when a list showed it"
    seen.expect_whole(what, content, scene)


def _has_come_to_its_turn(answer: Answer, what: str) -> bool:
    if isinstance(answer, Refused):
        refusal_of(answer, f"{what} beside others", BUSY)
    return isinstance(answer, Answered)


def _expect_own_backups(base: Path, seen: Seen) -> None:
    older = {str(time) for time in (OLD, NEW, *range(FILLER, FILLER + RETENTION))}
    expect("ids of older backups that creates returned", sorted(older.intersection(seen.ids)), [])
    # No order among them is so certain that one of the last of these may be pruned.
    last = seen.ids[-UNTIL_PRUNED:]
    expect(MISSING, [own for own in last if not archive_of(base, own).is_file()], [])


def _expect_same_infos(seen: Seen) -> None:
    known = {info.id: info for info in seen.made}
    for info in seen.listed:
        expected = known.setdefault(info.id, info)
        expect(f"what a list beside creates shows of {info.id}", info, expected)


def _expect_all_well_afterwards(reedbackup: TicketImplementation, scene: Scene) -> None:
    """The next calls work as ever; nothing is taken for the remains of a call under way."""
    reedbackup.clock.advance()
    made = reedbackup.created(scene.base)
    archived = read_tree(archive_of(scene.base, made.id))
    expect_no_mixture("a backup made afterwards", scene.trees, archived)
    is_listed = made in reedbackup.listed(scene.base)
    expect("whether a backup made afterwards is listed", is_listed, True)
    for target, tree in zip((OLD, NEW), scene.trees, strict=True):
        reedbackup.restored(scene.base, target)
        differences = tree.differences(live_tree(scene.base))
        expect(f"what differs after a restore to {target} afterwards", differences, [])
