"""Who is held against what: every implementation of a run, met once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection, TimeLimits
from pytest_reedbackup.connections.smoke import check_that_it_sees
from pytest_reedbackup.generate.shares import divide_into
from pytest_reedbackup.model.adapter_faults import AdapterFault, Unusable
from pytest_reedbackup.recording.file import current_umask
from pytest_reedbackup.recording.format import Tape
from reedbase_backup.adapter.protocol import Contract, Hello


@dataclass(frozen=True)
class Target:
    """One implementation to be held against one contract."""

    option: str
    contract: Contract
    hello: Hello
    clock: str
    """How its clock is set."""
    limits: TimeLimits
    clock_is_settable: bool = False
    in_process: bool = False
    recording: Tape | None = field(default=None, repr=False, hash=False, compare=False)
    """What is played back, where it is no implementation that runs."""

    @property
    def translated_from(self) -> Contract | None:
        """The contract that the implementation does claim, where `contract` is not claimed."""
        claimed = self.hello.contracts
        return None if self.contract in claimed else claimed[0]

    @property
    def names(self) -> frozenset[str]:
        """What a declared divergence may call it: as given, as it says itself, as recorded."""
        recorded = [self.recording.header.implementation] if self.recording else []
        return frozenset([self.option, self.hello.name, *recorded])

    def __str__(self) -> str:
        """What it is called in test names."""
        return f"{self.option}-{self.contract}"


def meet(
    name: str,
    option: str,
    limits: TimeLimits,
    databases: Path,
    wanted: Sequence[Contract] = (),
) -> list[Target]:
    """One target a wanted contract, claimed or translated; by default one a claimed contract.

    `databases` is the folder that the databases of the run are made in. Raises
    UsageError, by the name of the option that names the implementation, also
    where it does not see that folder.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as scratch:
        implementation = Connection(option, Path(scratch), limits)
        try:
            hello, clock = implementation.hello, implementation.clock
            recording = _playable(implementation.recording)
            if recording is None and not implementation.is_in_process:
                check_that_it_sees(implementation, hello.contracts[0], databases)
        except AdapterFault as fault:
            raise pytest.UsageError(f"{name}: {fault}") from fault
        finally:
            implementation.close()
    met = Target(
        option=option,
        contract=hello.contracts[0],
        hello=hello,
        clock=clock.way,
        limits=limits,
        clock_is_settable=clock.is_settable,
        in_process=implementation.is_in_process,
        recording=recording,
    )
    contracts = dict.fromkeys(wanted) or hello.contracts
    return [replace(met, contract=contract) for contract in contracts]


def divide_as_recorded(targets: Sequence[Target]) -> None:
    """Has fuzzing campaigns fall into the parts that they had when they were recorded."""
    recorded = {p.recording.header.shares for p in targets if p.recording is not None}
    if len(recorded) > 1:
        raise pytest.UsageError(
            "recordings of runs with other numbers of pytest-xdist's workers cannot be played in"
            f" one run ({', '.join(map(str, sorted(recorded)))}); play them one by one"
        )
    divide_into(next(iter(recorded), None))


def _playable(recording: Tape | None) -> Tape | None:
    """The recording, where its states can be met here. Raises Unusable."""
    if recording is not None and recording.header.umask != (umask := current_umask()):
        wanted = recording.header.umask
        raise Unusable(
            f"it was recorded under umask {wanted:03o}, and this is {umask:03o}, so that files get"
            f" other modes; run `umask {wanted:03o}` first"
        )
    return recording
