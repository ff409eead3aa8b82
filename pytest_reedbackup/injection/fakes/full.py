"""A call on disks of every size, from one that the database fills to one that is large enough.

Judged is what contract `ticket` promises of a call whose system call fails: an error of a
documented kind and all as before, or success that is true; and once there is room, the next
calls succeed and leave nothing behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_documented, expect_same_tree, no_answer
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.implementations.answers import Answer, Answered, Refused, value_of
from pytest_reedbackup.injection.fakes.disk import CAPABILITY, LARGE, FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.injection.sweeps.sampling import mixed
from pytest_reedbackup.injection.sweeps.scenes import Scene, tiny_scene
from pytest_reedbackup.injection.sweeps.stages import BASE, FolderStage
from pytest_reedbackup.injection.sweeps.survival import LIVE, Aftermath, TicketSwept
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit, judged
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.sweep import PointOutcome, PointResult
from pytest_reedbackup.views.base import ROOTS
from pytest_reedbackup.views.tree import Tree

_ROW, _ABOUT = "bytes", "free"

# Archives say when files were changed: with one time they take as many bytes in each worker and
# in each run, so that all see the same points.
_MTIME_NS = 1_600_000_000 * 10**9


def sweep_full_disks(
    implementation: TicketImplementation,
    sweeper: Sweeper,
    make_call: Callable[[TicketImplementation, Scene], TicketSwept],
) -> None:
    """Make a call, `Create` or `Restore`, on disks of every size.

    Raise MissingCapability where a disk in memory is not true to what the implementation does.
    """
    connection = implementation.connection
    if connection.functions is None or not connection.is_called_here:
        sentence = "in a process of its own it sees no disk in the memory of this one"
        raise MissingCapability(CAPABILITY, sentence)
    with scratch() as folder:
        (folder / "prepared").mkdir()
        scene = tiny_scene(implementation, folder / "prepared" / BASE)
        swept = make_call(implementation, scene)
        full = FullDisks(implementation, scene, swept, folder, sweeper.kept)
        sweeper.sweep(full.visits(), swept.wholes())


@dataclass(frozen=True)
class FullDisks:
    """A call on disks in memory."""

    implementation: TicketImplementation
    scene: Scene
    swept: TicketSwept
    scratch: Path
    """A folder to make the call in on a real disk."""
    kept: Path
    """The folder in which databases are kept as they were found on disks that broke a promise."""

    def visits(self) -> Sequence[Visit]:
        """Return the visits of each size, those first that decide most.

        Raise MissingCapability where a disk in memory is not true to what the implementation
        does, BrokenPromise where an undisturbed call fails.
        """
        enough = self._enough()
        rooms = dict.fromkeys([enough, 0, *mixed([range(enough)])])
        return [
            Visit(_named(room), _ABOUT, partial(self.visit, room), _ROW, room) for room in rooms
        ]

    def visit(self, room: int) -> list[PointResult]:
        """Make the call where so many bytes are free, and judge what it answers and leaves."""
        kept = self.kept / _named(room)
        with fake_disk(self._tree) as disk:
            disk.resize(self._tree.size + room)
            found = self._tree

            def check() -> None:
                nonlocal found
                try:
                    answer = self.swept.make(self.implementation, disk.base)
                except AdapterFault as fault:
                    raise no_answer("a call whose system call fails", fault) from fault
                finally:
                    found = disk.content()
                disk.resize(LARGE)
                self._expect_kept(disk, answer, found)

            result = judged(_named(room), _ABOUT, check, kept=str(kept))
            _expect_true_to_life(disk)
        if result.outcome is PointOutcome.BROKEN:
            remove_tree(kept)
            kept.parent.mkdir(parents=True, exist_ok=True)
            found.write(kept)
        return [result]

    def _expect_kept(self, disk: FakeDisk, answer: Answer, found: StoredTree) -> None:
        """Raise BrokenPromise unless the answer is true, and the next calls succeed."""
        expect_documented(answer, "the error of a call on a full disk")
        self._expect_as_before(answer, found.tree())
        after = Aftermath(disk.base, answer, self.implementation)
        self.swept.expect_as_answered(after)
        again = self.swept.make(self.implementation, disk.base)
        value_of(again, "the same call, with room again")
        live = _part(disk.content().tree(), is_live=True)
        expect_same_tree(f"{LIVE} after the same call again", live, self.swept.live_after(again))
        self.swept.expect_no_debris(after)
        if isinstance(answer, Answered):
            self.swept.expect_well(after)

    def _expect_as_before(self, answer: Answer, found: Tree) -> None:
        """Raise BrokenPromise unless all is there as before, or as a success says.

        What is there beside it is the next call's to remove.
        """
        live = self.swept.live_after(answer)
        expect_same_tree(f"{LIVE} right after the answer", _part(found, is_live=True), live)
        before, others = _part(self._tree.tree(), is_live=False), _part(found, is_live=False)
        known = others.without(others.entries.keys() - before.entries.keys())
        expect_same_tree("archives and all else right after the answer", known, before)

    @cached_property
    def _tree(self) -> StoredTree:
        entries = StoredTree.read(self.scene.base).entries
        return StoredTree(tuple(replace(entry, mtime_ns=_MTIME_NS) for entry in entries))

    def _enough(self) -> int:
        """Return how many free bytes an undisturbed call fills.

        It is made on a real disk, too, and must come to the same there.
        """
        with FolderStage(self.scene.base, self.scratch).used() as base:
            answer = self.swept.make(self.implementation, base)
            value_of(answer, "an undisturbed call")
            real = StoredTree.read(base).tree()
        with fake_disk(self._tree) as disk:
            answer = self.swept.make(self.implementation, disk.base)
            _expect_true_to_life(disk)
            if isinstance(answer, Refused):
                raise MissingCapability(CAPABILITY, f"on a large disk in memory: {answer}")
            if _shape(disk.content().tree()) != _shape(real):
                sentence = "on a large disk in memory it leaves something else than on a real one"
                raise MissingCapability(CAPABILITY, sentence)
            most_used = disk.most_used
            # What a create has left is judged by restores, which may use more of a system.
            target = self.scene.restored.timestamp
            judging = self.implementation.restore_point_in_time(disk.base, target)
            _expect_true_to_life(disk)
            if isinstance(judging, Refused):
                raise MissingCapability(CAPABILITY, f"on a large disk in memory: {judging}")
            return most_used - self._tree.size


def _named(room: int) -> str:
    return f"{room} bytes"


def _expect_true_to_life(disk: FakeDisk) -> None:
    if disk.lacks:
        used = " and ".join(disk.lacks)
        raise MissingCapability(CAPABILITY, f"it uses {used}, which a disk in memory does not have")


def _part(tree: Tree, *, is_live: bool) -> Tree:
    return tree.without([p for p in tree.entries if (p.split("/")[0] in ROOTS) != is_live])


def _shape(tree: Tree) -> Counter[tuple[str, str, int, str]]:
    """Return what is where, but for the names and bytes of archives: they tell the time."""
    shape: Counter[tuple[str, str, int, str]] = Counter()
    for path, entry in tree.entries.items():
        folder = path.rpartition("/")[0]
        content = folder if folder == "backups" else f"{path} {entry.content}"
        shape[folder, entry.kind, entry.mode, content] += 1
    return shape
