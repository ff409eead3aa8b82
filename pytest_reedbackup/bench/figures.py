"""Figures of the reference that are held against a limit, and not against a peer."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from pytest_reedbackup.databases.spec import BULK_1M, SMALL, Spec
from reedbase_backup import create_backup, list_backups

_ROUNDS = 15
_IN_2100 = "4102444800"
"""Unix seconds: whatever backup is the newest."""


class Figure(Struct, frozen=True):
    """What was measured, and the most that it may be."""

    id: str
    what: str
    measured: float
    limit: float
    unit: str

    @property
    def is_reached(self) -> bool:
        """Whether it is within its limit."""
        return self.measured <= self.limit


@dataclass(frozen=True)
class Gauge:
    """How a figure is measured, on a clone of a database."""

    id: str
    what: str
    spec: Spec
    limit: float
    unit: str
    read: Callable[[Path], float]

    def figure(self, base: Path) -> Figure:
        """Measure it on `base`."""
        return Figure(self.id, self.what, self.read(base), self.limit, self.unit)


def _list_ms(base: Path) -> float:
    for _ in range(32):
        create_backup(base)
    return _median_ms(lambda: list_backups(base))


def _start_ms(base: Path) -> float:
    # Compiled once, as on installing, also where this environment has no bytecode written.
    with tempfile.TemporaryDirectory() as compiled:
        program = (sys.executable, "-X", f"pycache_prefix={compiled}", "-m", "reedbase_backup")
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}

        def start() -> None:
            command = [*program, "list", str(base)]
            subprocess.run(command, check=True, capture_output=True, env=environment)

        start()
        return _median_ms(start)


def _create_mib(base: Path) -> float:
    return _peak_mib("create", str(base))


def _restore_mib(base: Path) -> float:
    create_backup(base)
    return _peak_mib("restore", str(base), "--to", _IN_2100)


def _median_ms(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def _peak_mib(*arguments: str) -> float:
    """Run the command line, and return the most memory that its process had."""
    ended = _finished(sys.executable, "-c", _SAYS_ITS_PEAK, *arguments)
    return int(ended.stderr.split()[-1]) / 1024


def _finished(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, check=True, capture_output=True, text=True)


# What getrusage(2) says of a process counts what its parent had before exec; VmHWM does not.
_SAYS_ITS_PEAK = """
import re, sys
from reedbase_backup.cli.commands import main
status = main(sys.argv[1:])
with open("/proc/self/status") as file:
    print(re.search("VmHWM:\\s*(\\d+) kB", file.read())[1], file=sys.stderr)
sys.exit(status)
"""

GAUGES = (
    Gauge("list/32", "list, 32 backups of 1M rows", BULK_1M, 1, "ms", _list_ms),
    Gauge("start", "`reedbackup list`, from start to end", SMALL, 50, "ms", _start_ms),
    Gauge("memory/create", "create, 1M rows, peak memory", BULK_1M, 40, "MiB", _create_mib),
    Gauge("memory/restore", "restore, 1M rows, peak memory", BULK_1M, 40, "MiB", _restore_mib),
)
