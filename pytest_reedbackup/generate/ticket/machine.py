"""A state machine over one base, to be run in the suite and in a user's own tests.

from hypothesis.stateful import run_state_machine_as_test
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.generate.ticket.machine import backup_machine

def test_my_port(reedbackup, tmp_path):
    run_state_machine_as_test(backup_machine(reedbackup, Templates(tmp_path / "templates")))
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pytest_reedbackup.checks.expectations import expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.generate.ticket.histories import EPOCH
from pytest_reedbackup.generate.ticket.model import Model
from pytest_reedbackup.generate.ticket.steps import Step, changes
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.injection.archive_damage import flipped_bits
from pytest_reedbackup.injection.scratch import memory
from pytest_reedbackup.views.base import live_tree, other_tree

FUZZ_BASE = DatabaseSpec(tables=2, rows=4, indices=1)
"""What a generated history starts from: small, for thousands of them are made."""

_FOREIGN = ("notes.txt", "+5.tar.gz", "007.tar.gz", "before-migration.tar.gz")
# Below retention's limit, whose own cases know what is left.
_MOST_BACKUPS = 20


class BackupMachine(RuleBasedStateMachine):
    """create, list, restore, changes, a moving clock, foreign files, damaged archives."""

    def __init__(self, implementation: TicketImplementation, templates: Templates) -> None:
        super().__init__()
        self._open = ExitStack()
        base = self._open.enter_context(templates.cloned(FUZZ_BASE, memory()))
        self._model = Model(implementation, base)
        self._now = EPOCH

    def teardown(self) -> None:
        """Remove the base."""
        self._open.close()

    @rule(change=changes)
    def change_the_database(self, change: Step) -> None:
        """Change something in tables/ or indices/."""
        change.apply(self._model.base)

    @rule(seconds=st.sampled_from([1, 2, 3600, 2**31, -1, -2, -3600]))
    def move_the_clock(self, seconds: int) -> None:
        """Move it forwards or backwards."""
        self._now = max(0, self._now + seconds)

    @precondition(lambda self: len(self._model.backups) < _MOST_BACKUPS)
    @rule()
    def create(self) -> None:
        """Make a backup, and check list_backups."""
        (self._model.base / "tables").mkdir(exist_ok=True)
        self._model.create(self._now)

    @rule(choice=st.integers(0, 60))
    def restore(self, choice: int) -> None:
        """Restore to a target at the edge of some backup."""
        others = other_tree(self._model.base)
        targets = self._model.edge_targets()
        self._model.restore(targets[choice % len(targets)])
        expect_same_tree("all else in the base", other_tree(self._model.base), others)

    @rule(name=st.sampled_from(_FOREIGN))
    def add_a_foreign_file(self, name: str) -> None:
        """Put a file in backups/ that is no backup."""
        folder = self._model.base / "backups"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"foreign")

    @rule(seconds=st.integers(-3, 3))
    def add_an_unreadable_file(self, seconds: int) -> None:
        """Put an empty file in backups/ under an archive's name."""
        self._model.add_unreadable(self._now + seconds)

    @precondition(lambda self: any(backup.is_readable for backup in self._model.backups))
    @rule(choice=st.integers(0, 60), place=st.integers(0, 15))
    def restore_from_a_damaged_archive(self, choice: int, place: int) -> None:
        """Flip one bit, make a restore that must be refused, and set the bit right again."""
        readable = [backup for backup in self._model.backups if backup.is_readable]
        picked = self._model.picked(readable[choice % len(readable)].timestamp)
        if picked is None or not picked.is_readable:
            return
        archive = self._model.base / "backups" / f"{picked.id}.tar.gz"
        sound, before = archive.read_bytes(), live_tree(self._model.base)
        damages = list(flipped_bits(sound, 16))
        damage, content = damages[place % len(damages)]
        archive.write_bytes(content)
        answer = self._model.implementation.restore_point_in_time(
            self._model.base, picked.timestamp
        )
        refusal_of(answer, f"a restore with {damage}", ("BackupCorrupted",))
        expect_same_tree("the live tree", live_tree(self._model.base), before)
        archive.write_bytes(sound)

    @invariant()
    def the_list_is_right(self) -> None:
        """Check list_backups."""
        self._model.check_list()


def backup_machine(
    implementation: TicketImplementation, templates: Templates
) -> Callable[[], BackupMachine]:
    """Return a factory of machines for Hypothesis's `run_state_machine_as_test`."""
    return lambda: BackupMachine(implementation, templates)
