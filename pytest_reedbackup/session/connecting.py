"""Start every implementation of a run once, to find what it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.connections.smoke import first_misfits
from pytest_reedbackup.implementations.translation import TRANSLATIONS
from pytest_reedbackup.model.adapter_faults import AdapterFault, ProtocolViolation, Unusable
from pytest_reedbackup.model.target import Origin, Target, TimeLimits
from pytest_reedbackup.recording.format import Header, Recording
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.replay import open_recording
from pytest_reedbackup.reports.terminal.wrapping import labelled
from pytest_reedbackup.views.umask import current_umask
from reedbase_backup.adapter.protocol import Contract, Hello

RUN_ON = "--reedbackup-misfits=run-on"
"""What to give where the first replies do not fit and the suite is to run."""


def connect(
    name: str,
    option: str,
    limits: TimeLimits,
    databases: Path,
    wanted: Sequence[Contract] = (),
    *,
    runs_on: bool = False,
) -> list[Target]:
    """Return one target a wanted contract, claimed or translated; by default a claimed contract.

    `databases` is the folder that the databases of the run are made in. Raise
    UsageError, by the name of the option that names the implementation, also
    where it does not see that folder, or where its first replies do not fit the
    protocol, unless the run `runs_on` all the same.
    """
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as scratch:
        connection = Connection(option, Path(scratch), limits)
        try:
            hello, clock = connection.hello, connection.clock
            recording = connection.recording
            if recording is not None:
                _check_umask(recording.header)
            elif not connection.is_in_process:
                misfits = first_misfits(connection, hello.contracts[0], databases)
                if misfits and not runs_on:
                    raise _does_not_fit(misfits)
        except AdapterFault as fault:
            raise pytest.UsageError(f"{name}: {fault}") from fault
        finally:
            connection.close()
    first = Target(
        option=option,
        contract=hello.contracts[0],
        hello=hello,
        clock=clock.way,
        limits=limits,
        clock_is_settable=clock.is_settable,
        in_process=connection.is_in_process,
        recorded=_origin(recording.header) if recording is not None else None,
    )
    contracts = dict.fromkeys(wanted) or hello.contracts
    return [
        replace(first, contract=contract, translation=_translation(hello, contract))
        for contract in contracts
    ]


def _does_not_fit(misfits: Sequence[ProtocolViolation]) -> Unusable:
    """Return that nothing was held against anything: every case would end in the same errors."""
    width = shutil.get_terminal_size().columns
    shown = "\n\n".join("\n".join(labelled("", str(misfit), width)) for misfit in misfits)
    return Unusable(
        "its first replies do not fit the protocol: no case ran\n\n"
        f"{shown}\n\n{RUN_ON} runs the suite all the same"
    )


def _translation(hello: Hello, contract: Contract) -> tuple[str, ...]:
    if contract in hello.contracts:
        return ()
    return TRANSLATIONS[hello.contracts[0], contract].notes


def recordings_of(targets: Iterable[Target]) -> Mapping[str, Recording]:
    """Return what is played back in this run, by option."""
    recordings = {}
    for option in dict.fromkeys(target.option for target in targets if target.recorded):
        file = open_recording(option)
        file.close()
        recordings[option] = file.recording
    return recordings


@contextmanager
def running(
    target: Target | None, scratch: Path, recorder: Recorder | None = None
) -> Iterator[Implementation]:
    """Keep an implementation running for a `with`; for None, the reference under `ticket`."""
    if target is None:
        connection = Connection("python", scratch)
    else:
        connection = Connection(target.option, scratch, target.limits, recorder)
    yield Implementation(connection, target.contract if target else "ticket")
    connection.shutdown()


def shares_of(recordings: Iterable[Recording], workers: int) -> int:
    """Return into how many parts the fuzzing cases of this run are divided.

    One for each worker of pytest-xdist; for a replay, as many as when it was recorded.
    Raise UsageError for recordings that were divided differently.
    """
    recorded = {recording.header.shares for recording in recordings}
    if len(recorded) > 1:
        raise pytest.UsageError(
            "recordings of runs with other numbers of pytest-xdist's workers cannot be played in"
            f" one run ({', '.join(map(str, sorted(recorded)))}); play them one by one"
        )
    return next(iter(recorded), workers)


def _check_umask(header: Header) -> None:
    """Raise Unusable where the states of a recording cannot come about here."""
    wanted, umask = header.umask, current_umask()
    if wanted != umask:
        raise Unusable(
            f"it was recorded under umask {wanted:03o}, and this is {umask:03o}, so that files get"
            f" other modes; run `umask {wanted:03o}` first"
        )


def _origin(header: Header) -> Origin:
    parts = (header.machine.get("system"), header.machine.get("processor"))
    machine = " ".join(part for part in parts if part)
    return Origin(header.implementation, header.recorded, machine, header.kit)
