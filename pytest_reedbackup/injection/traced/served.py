"""The implementation in a process of its own, one in process too, for one case alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations import translation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.nursery import Nursery

# What an interpreter writes beside its modules is no file of the implementation, and a kill at
# one of its renames there none in a call.
_QUIET_START = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Served:
    """The three functions of a process of its own; each returns the answer, or raises AdapterFault.

    `secs` is how long a call may take before it raises TimedOut.
    """

    implementation: Implementation
    client: Client
    pid: int
    secs: float

    def create_backup(self, base: Path) -> Answer:
        """Call create_backup at the time of the implementation's clock."""
        return self._call("create_backup", base, **self.implementation.clock.params())

    def list_backups(self, base: Path) -> Answer:
        """Call list_backups."""
        return self._call("list_backups", base)

    def restore_point_in_time(self, base: Path, target: int) -> Answer:
        """Call restore_point_in_time; `target` in the contract's unit."""
        return self._call("restore_point_in_time", base, target_timestamp=target)

    def _call(self, method: str, base: Path, **params: int) -> Answer:
        contract = self.implementation.contract
        return translation.call(self.client, method, contract, base, self.secs, **params)


Call = Callable[[Served, Path], Answer]
"""Makes a call of a process, on the database at a path."""


@contextmanager
def served(implementation: Implementation, *, tracer: Sequence[str] = ()) -> Iterator[Served]:
    """Start the implementation, by the command `tracer` if there is one, and end it.

    Raise MissingCapability for a recording, and AdapterFault where it does not start.
    """
    process = started(implementation, tracer=tracer)
    try:
        yield process
    finally:
        process.client.close()


def started(
    implementation: Implementation,
    *,
    tracer: Sequence[str] = (),
    secs: float | None = None,
    nursery: Nursery | None = None,
) -> Served:
    """Do what `served` does, but leave it to the caller to end it.

    `nursery`: what is to fork the process, instead of a start from nothing.
    """
    connection = implementation.connection
    command = [*tracer, *connection.command]
    start = nursery.fork if nursery else None
    process = ChildProcess(command, _environment(implementation), start)
    client = Client(process)
    try:
        client.hello(connection.limits.hello)
    except BaseException:
        client.close()
        raise
    return Served(implementation, client, process.pid, secs or connection.limits.call)


def nursery_of(implementation: Implementation, tracer: Sequence[str] = ()) -> Nursery | None:
    """Return what forks processes of it; None where each must be started from nothing.

    `tracer`: the command that it is started by, if there is one.
    """
    environment = _environment(implementation)
    # libfaketime counts on being loaded in each process.
    connection = implementation.connection
    is_plain = connection.is_in_process and "LD_PRELOAD" not in environment
    is_possible = is_plain and hasattr(os, "pidfd_open")
    return Nursery(connection.option, environment, tracer) if is_possible else None


def _environment(implementation: Implementation) -> Mapping[str, str]:
    return {**implementation.connection.environment, **_QUIET_START}
