"""What a test calls: one implementation, held against one contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeAlias

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.answers import Answer, value_of
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.implementations.translation import foreign_type
from pytest_reedbackup.model.failures import BrokenPromise
from reedbase_backup.adapter.protocol import (
    Contract,
    LastBackup,
    LastReport,
    TicketBackup,
    TicketReport,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # Without an argument it may be under either contract.
    BackupT = TypeVar("BackupT", covariant=True, default=TicketBackup | LastBackup)
    ReportT = TypeVar("ReportT", covariant=True, default=TicketReport | LastReport)
else:
    from typing import TypeVar

    # Only Python 3.13 knows defaults.
    BackupT = TypeVar("BackupT", covariant=True)
    ReportT = TypeVar("ReportT", covariant=True)

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True


@dataclass(frozen=True)
class Implementation(Generic[BackupT, ReportT]):
    """The three functions of one implementation under one contract.

    `create_backup`, `list_backups` and `restore_point_in_time` give the answer,
    which may be an error; `created`, `listed` and `restored` the value, where an
    error breaks the promise.
    """

    connection: Connection
    contract: Contract

    @property
    def clock(self) -> Clock:
        """The time that the implementation sees."""
        return self.connection.clock

    def claims(self, contract: Contract) -> bool:
        """Return whether it is held against `contract`, which it claims itself."""
        return contract == self.contract and contract in self.connection.hello.contracts

    def expect_own_type(self, method: str) -> None:
        """Raise BrokenPromise where what `method` returns is of the other contract's type."""
        claimed = self.connection.hello.contracts
        if self.contract not in claimed:
            raise foreign_type(claimed[0], self.contract, method)

    def create_backup(self, base: Path) -> Answer:
        """Call create_backup at the clock's time."""
        return self._call("create_backup", base, **self.clock.params())

    def list_backups(self, base: Path) -> Answer:
        """Call list_backups."""
        return self._call("list_backups", base)

    def restore_point_in_time(self, base: Path, target: int) -> Answer:
        """Call restore_point_in_time; `target` in the contract's unit."""
        return self._call("restore_point_in_time", base, target_timestamp=target)

    def created(self, base: Path) -> BackupT:
        """Return the BackupInfo of a backup that must succeed."""
        info: BackupT = value_of(self.create_backup(base), "create_backup")
        return info

    def listed(self, base: Path) -> list[BackupT]:
        """Return the list of backups, which must succeed."""
        infos: list[BackupT] = value_of(self.list_backups(base), "list_backups")
        return infos

    def newest(self, base: Path) -> BackupT:
        """Return the first entry of the list of backups, which must have one."""
        listed = self.listed(base)
        if not listed:
            raise BrokenPromise("list_backups", expected="at least one backup", found="none")
        return listed[0]

    def restored(self, base: Path, target: int) -> ReportT:
        """Return the RestoreReport of a restore that must succeed."""
        what = f"restore_point_in_time to {target}"
        report: ReportT = value_of(self.restore_point_in_time(base, target), what)
        return report

    def _call(self, method: str, base: Path, **params: int) -> Answer:
        # Threads of a test take turns: an adapter answers one request at a time.
        with self.connection.turn:
            return self.connection.call(method, self.contract, base, **params)


TicketImplementation: TypeAlias = Implementation[TicketBackup, TicketReport]
"""An implementation under contract `ticket`."""

LastImplementation: TypeAlias = Implementation[LastBackup, LastReport]
"""An implementation under contract `last`."""
