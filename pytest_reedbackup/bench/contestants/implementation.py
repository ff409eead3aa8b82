"""An implementation, timed as it times itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.implementations.tar_failures import past_tar_failures
from pytest_reedbackup.model.target import TimeLimits
from reedbase_backup.adapter.protocol import Contract
from reedbase_backup.types import U64_MAX
from reedbase_backup.verify import verify

REFERENCE = "python"
PORT = "python-last"
"""Does for the reference what contract `last` alone has."""
_LIMITS = TimeLimits(call=600.0)
_IN_PROCESS_ALONE = (Job.VERIFY, Job.START)


def contract_of(option: str, scratch: Path) -> Contract:
    """Return the contract that an implementation is measured by: `ticket`, where it claims both.

    Raise Unusable where it does not start.
    """
    connection = Connection(option, scratch, _LIMITS)
    try:
        contracts = connection.hello.contracts
    finally:
        connection.close()
    return "ticket" if "ticket" in contracts else contracts[0]


def can(option: str, contract: Contract, row: Row) -> bool:
    """Return whether a row says something of an implementation.

    What is no function of the contract only the reference has. A backup by `last` holds those
    before it (D1), and its restores read none, so of them only a first create is alike.
    """
    if row.job is Job.NEWEST_VERSION:
        return contract == "last" or option == REFERENCE
    if row.job in _IN_PROCESS_ALONE:
        return option == REFERENCE
    return contract == "ticket" or row.is_suite or (row.job is Job.CREATE and row.is_first)


class Implementation(Contestant):
    """An implementation, as --reedbackup-impl names it."""

    def __init__(self, option: str, base: Path, name: str = "") -> None:
        super().__init__(base)
        self.name = name or option
        self._connection = Connection(option, base.parent, _LIMITS)

    def forget(self) -> None:
        """Remove all backups."""
        remove_tree(self.base / "backups")

    def run(self, job: Job) -> float:
        """Call it; raise BrokenPromise where it says an error."""
        return _JOBS[job](self)

    def close(self) -> None:
        """End its process."""
        self._connection.close()

    def called(self, method: str, contract: Contract = "ticket", **params: Any) -> float:
        """Return the seconds of a call that must succeed."""
        answer = past_tar_failures(
            lambda: self._connection.call(method, contract, self.base, **params)
        )
        value_of(answer, f"{method} of {self.name}")
        assert isinstance(answer, Answered)
        return answer.elapsed_ns / 10**9

    def verified(self) -> float:
        """Return the seconds in which the reference reads its newest backup whole."""
        started = time.perf_counter()
        newest = verify(self.base)[0]
        took = time.perf_counter() - started
        assert newest.is_sound
        return took


_JOBS: dict[Job, Callable[[Implementation], float]] = {
    Job.CREATE: lambda own: own.called("create_backup"),
    Job.RESTORE: lambda own: own.called("restore_point_in_time", target_timestamp=U64_MAX),
    Job.LIST: lambda own: own.called("list_backups"),
    Job.NEWEST_VERSION: lambda own: own.called(
        "restore_point_in_time", "last", target_timestamp=U64_MAX
    ),
    Job.VERIFY: Implementation.verified,
}
