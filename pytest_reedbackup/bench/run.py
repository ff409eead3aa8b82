"""One run: who takes part in which row, the databases that are made for it, and what came of it."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.contestants.decompression import Decompression
from pytest_reedbackup.bench.contestants.floors import Floor
from pytest_reedbackup.bench.contestants.implementation import (
    PORT,
    REFERENCE,
    Implementation,
    can,
    contract_of,
)
from pytest_reedbackup.bench.contestants.processes import (
    ONE_WAIT,
    BarePython,
    CommandLine,
    Footprint,
    OneWait,
    Suite,
    is_memory_told,
    is_suite_in_two_there,
)
from pytest_reedbackup.bench.contestants.tools import TOOLS, Peer
from pytest_reedbackup.bench.result import Machine, Measured, Result
from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.bench.schedule import take_turns
from pytest_reedbackup.bench.series import Series
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.disk import file_system, spread
from pytest_reedbackup.databases.templates import Templates
from reedbase_backup.adapter.protocol import Contract

Progress = Callable[[str], None]
"""Says a line to whoever waits."""


@dataclass(frozen=True)
class Wanted:
    """What a run is to be of."""

    rows: Sequence[Row]
    implementations: Sequence[str]
    baseline: str | None
    """An implementation that has turns beside each of the others."""
    most: int
    """The most turns of each."""
    floors: bool
    """Whether each job's system calls have turns, too."""
    budget_secs: float
    """After how long no turn begins."""


def run(wanted: Wanted, folder: Path, progress: Progress) -> Result:
    """Measure in `folder`, which is empty, and return what came of it."""
    started = time.monotonic()
    spread(folder)
    contracts = {option: contract_of(option, folder) for option in wanted.implementations}
    room = _Room(folder, wanted, contracts)
    entries = [
        _Entry(row, _who_has(row, option), room, progress)
        for row in wanted.rows
        if _is_possible(row)
        for option in wanted.implementations
        if can(option, contracts[option], row)
    ]
    with ExitStack() as open_ones:
        for entry in entries:
            open_ones.callback(entry.close)
        take_turns(entries, started + wanted.budget_secs)
        measured = [entry.measured for entry in entries]
    return Result(
        _machine(folder, {peer for entry in entries for peer in entry.row.peers}),
        [each for each in measured if each is not None],
        [entry.row.id for entry, each in zip(entries, measured, strict=True) if each is None],
        time.monotonic() - started,
    )


def _who_has(row: Row, option: str) -> str:
    """Return who has a row's turns for an implementation: for the reference it may be its port."""
    return PORT if row.job is Job.NEWEST_VERSION and option == REFERENCE else option


def _is_possible(row: Row) -> bool:
    """Return whether this system has what a row needs."""
    if row.is_memory:
        return is_memory_told()
    return row.job is not Job.SUITE_AGAIN_IN_TWO or is_suite_in_two_there()


@dataclass
class _Room:
    """A folder with the databases of a run."""

    folder: Path
    wanted: Wanted
    contracts: Mapping[str, Contract]
    templates: Templates = field(init=False)
    clones: int = 0

    def __post_init__(self) -> None:
        self.templates = Templates(self.folder / "templates")

    def contestants(self, row: Row, option: str) -> list[Contestant]:
        """Return who takes part in a row, each with a database of its own."""
        own = self._own(row, option)
        return [own, *self._peers(row, option)]

    def clone(self, row: Row) -> Path:
        """Return a new clone of a row's database, alone in its folder."""
        self.clones += 1
        return self.templates.clone(row.spec, self.folder / str(self.clones) / ".reed")

    def _own(self, row: Row, option: str) -> Contestant:
        base = self.clone(row)
        if row.is_suite:
            return Suite(option, base, self._cache(option, "suite"))
        if row.job is Job.START:
            return CommandLine(option, base)
        return Footprint(option, base) if row.is_memory else Implementation(option, base)

    def _cache(self, option: str, of: str) -> Path:
        return self.folder / f"cache-{self.wanted.implementations.index(option)}-{of}"

    def _peers(self, row: Row, option: str) -> list[Contestant]:
        peers: list[Contestant] = [
            Peer(tool, self.clone(row))
            for tool in TOOLS
            if tool.name in row.peers and tool.is_there
        ]
        others = (BarePython, Decompression)
        peers += [kind(self.clone(row)) for kind in others if kind.name in row.peers]
        if ONE_WAIT in row.peers and self.contracts[option] == "ticket":
            peers.append(OneWait(option, self.clone(row), self._cache(option, ONE_WAIT)))
        if self.wanted.baseline is not None and not row.is_suite:
            peers.append(Implementation(self.wanted.baseline, self.clone(row), "baseline"))
        if self.wanted.floors and Floor.is_of(row.job) and row.is_judged:
            peers.append(Floor(self.clone(row)))
        return peers


class _Entry:
    """A row and an implementation: prepared at its first turn, cleared away after its last."""

    def __init__(self, row: Row, option: str, room: _Room, progress: Progress) -> None:
        self.row = row
        self._option = option
        self._room = room
        self._progress = progress
        self._contestants: Sequence[Contestant] = ()
        self._series: Series | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is no turn left."""
        return self._series is not None and self._series.is_over

    @property
    def looks_passed(self) -> int:
        """How far it is."""
        return 0 if self._series is None else self._series.looks_passed

    @property
    def measured(self) -> Measured | None:
        """What came of it; None where it had no time."""
        return None if self._series is None else self._series.measured

    def turn(self) -> None:
        """Have the next turn."""
        if self._series is None:
            self._series = self._begun()
        self._series.turn()
        if self._series.is_over:
            self._progress(f"{self.row.id}: {self._option}")
            self.close()

    def close(self) -> None:
        """End what runs for it, and remove its databases."""
        for contestant in self._contestants:
            contestant.close()
            remove_tree(contestant.base.parent)
        self._contestants = ()

    def _begun(self) -> Series:
        self._contestants = self._room.contestants(self.row, self._option)
        series = Series(self.row, self._option, self._contestants, self._room.wanted.most)
        series.begin()
        return series


def _machine(folder: Path, peers: Collection[str]) -> Machine:
    """Return what is to be known of this machine; nothing that names it."""
    release = ".".join(platform.release().split(".")[:2])
    return Machine(
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        file_system=file_system(folder),
        system=f"{platform.system()} {release}",
        python=platform.python_version(),
        tools={tool.name: tool.version for tool in TOOLS if tool.name in peers and tool.is_there},
        month=f"{datetime.date.today():%Y-%m}",
    )
