"""The model: what contract `ticket` says must come of backups and restores.

It keeps the whole tree of every backup, so that it never needs an archive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.types import U64_MAX


@dataclass(frozen=True)
class ModelBackup:
    """A backup as the model remembers it."""

    timestamp: int
    order: int
    """How many backups were made before it."""
    id: str
    tree: Tree
    is_readable: bool = True
    """Whether it is a backup at all, or an unreadable file under an archive's name."""

    @property
    def age(self) -> tuple[int, int]:
        """Newer backups have greater ages."""
        return self.timestamp, self.order


@dataclass
class Model:
    """An implementation and a base, and what must be true of them."""

    implementation: TicketImplementation
    base: Path
    backups: list[ModelBackup] = field(default_factory=list)
    _made: int = 0

    def create(self, at: int) -> None:
        """A backup at the second `at`, and all that the contract says of it."""
        tree = live_tree(self.base)
        self.implementation.clock.set(at)
        info = self.implementation.created(self.base)
        expect("its timestamp", info.timestamp, at)
        ids = sorted(backup.id for backup in self.backups)
        expect_that(
            info.id not in ids,
            "the id of a new backup",
            expected=f"none of {ids}",
            found=info.id,
        )
        expect_same_tree("the source after create_backup", live_tree(self.base), tree)
        self._made += 1
        backup = ModelBackup(at, self._made, info.id, tree)
        self.backups = [*self._retained(), backup]
        self.check_list()

    def add_unreadable(self, at: int) -> None:
        """An empty file under the name of an archive of the second `at`."""
        path = self.base / "backups" / f"{at}.tar.gz"
        if any(backup.timestamp == at for backup in self.backups):
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        self._made += 1
        unreadable = ModelBackup(at, self._made, str(at), Tree({}), is_readable=False)
        self.backups.append(unreadable)

    def check_list(self) -> None:
        """list_backups shows just the backups there are, newest first."""
        readable = [backup for backup in self.backups if backup.is_readable]
        expected = [backup.id for backup in sorted(readable, key=_age, reverse=True)]
        listed = [info.id for info in self.implementation.listed(self.base)]
        expect("the ids of list_backups", listed, expected)

    def restore(self, target: int) -> None:
        """A restore to `target`, and all that the contract says of it."""
        before = live_tree(self.base)
        picked = self.picked(target)
        if picked is None or not picked.is_readable:
            kind = "BackupNotFound" if picked is None else "BackupCorrupted"
            answer = self.implementation.restore_point_in_time(self.base, target)
            refusal_of(answer, f"a restore to {target}", (kind,))
            expect_same_tree("the live tree after the refusal", live_tree(self.base), before)
            return
        report = self.implementation.restored(self.base, target)
        expect_same_tree(f"the tree restored to {target}", live_tree(self.base), picked.tree)
        entries = picked.tree.entries
        tables = [
            n
            for n, e in entries.items()
            if n.count("/") == 1 and n.startswith("tables/") and e.kind == "folder"
        ]
        expect("tables_restored", report.tables_restored, len(tables))
        expect("total_bytes", report.total_bytes, sum(entry.size for entry in entries.values()))

    def picked(self, target: int) -> ModelBackup | None:
        """The backup that a restore to `target` must take."""
        candidates = [backup for backup in self.backups if backup.timestamp <= target]
        return max(candidates, key=_age, default=None)

    def edge_targets(self) -> list[int]:
        """Targets around every backup, and at the ends of time."""
        times = {backup.timestamp for backup in self.backups}
        around = {time + step for time in times for step in (-1, 0, 1)}
        return sorted(
            target for target in around | {0, 1, 2**63, U64_MAX} if 0 <= target <= U64_MAX
        )

    def _retained(self) -> list[ModelBackup]:
        """What stays of the older backups when one more is made."""
        readable = sorted((b for b in self.backups if b.is_readable), key=_age, reverse=True)
        unreadable = [backup for backup in self.backups if not backup.is_readable]
        return readable[: RETENTION - 1] + unreadable


def _age(backup: ModelBackup) -> tuple[int, int]:
    return backup.age
