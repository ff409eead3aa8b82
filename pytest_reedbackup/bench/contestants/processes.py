"""Jobs that are whole processes: the command line, the suite, and how much memory a call takes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.contestants.implementation import Implementation
from pytest_reedbackup.bench.rows import Job
from pytest_reedbackup.connections.runner import Runner
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.implementations import translation
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from reedbase_backup.types import U64_MAX

_SECS = 600.0
ONE_WAIT = "one wait"
_SUITE_ENDS_WITH = (0, 1)
"""An implementation that does not conform is timed, too."""


class BarePython(Contestant):
    """An interpreter that starts and ends: what of a process is Python's own."""

    name = "bare Python"
    is_floor = True

    def run(self, job: Job) -> float:
        """Return what it takes, in seconds or MiB."""
        if job is Job.START:
            return _timed([sys.executable, "-c", "pass"], environment=_compiled(self.base))
        said = subprocess.run(
            [sys.executable, "-c", "print(open('/proc/self/status').read())"],
            check=True,
            capture_output=True,
            text=True,
        )
        return _peak_mib(said.stdout)


class CommandLine(Implementation):
    """The reference's command line; what comes before a turn is done by calls."""

    def run(self, job: Job) -> float:
        """Time `reedbackup list` as it is installed."""
        if job is not Job.START:
            return super().run(job)
        program = Path(sys.executable).with_name("reedbackup")
        return _timed([str(program), "list", str(self.base)], environment=_compiled(self.base))


class Footprint(Implementation):
    """An adapter's process that does one call and says how much memory it ever had.

    What getrusage(2) says of a process counts what its parent had before exec; VmHWM does not.
    """

    def __init__(self, option: str, base: Path) -> None:
        super().__init__(option, base)
        self._runner = Runner(option)

    def run(self, job: Job) -> float:
        """Return MiB; raise BrokenPromise where it says an error."""
        if job is Job.CREATE:
            return super().run(job)
        process = ChildProcess(self._runner.command, self._runner.python_path)
        client = Client(process)
        try:
            client.hello(_SECS)
            restore = job is Job.RESTORE_MEMORY
            method = "restore_point_in_time" if restore else "create_backup"
            params = {"target_timestamp": U64_MAX} if restore else {}
            answer = translation.call(client, method, "ticket", self.base, _SECS, **params)
            value_of(answer, f"{method} of {self.name}")
            return _peak_mib(Path(f"/proc/{process.pid}/status").read_text())
        finally:
            client.close()


class Suite(Contestant):
    """The suite on an implementation, in a process of its own; its cache is kept between turns."""

    choice: Sequence[str] = ()
    """The options that choose what of it runs; all does where there are none."""

    def __init__(self, option: str, base: Path, cache: Path) -> None:
        super().__init__(base)
        self.name = self._option = option
        self._cache = cache

    def run(self, job: Job) -> float:
        """Run it; raise CalledProcessError where it comes to no verdict."""
        faults = "quick" if job is Job.SUITE_WITH_FAULTS else "off"
        command = [*_PYTEST, f"--reedbackup-impl={self._option}", f"--reedbackup-faults={faults}"]
        command += [f"--override-ini=cache_dir={self._cache}", *self.choice]
        if job in (Job.SUITE, Job.SUITE_WITH_FAULTS):
            remove_tree(self._cache)
        elif not self._cache.exists():
            self._timed(command)
        return self._timed([*command, *(("-n", "2") if job is Job.SUITE_AGAIN_IN_TWO else ())])

    def _timed(self, command: Sequence[str]) -> float:
        return _timed(command, cwd=self.base.parent, ends_with=_SUITE_ENDS_WITH)


class OneWait(Suite):
    """The suite's longest case alone: a lock is waited for, as long as the implementation does."""

    is_floor = True
    choice = ("--reedbackup-case=ticket/create/hot/lock-stays",)

    def __init__(self, option: str, base: Path, cache: Path) -> None:
        super().__init__(option, base, cache)
        self.name = ONE_WAIT


def is_suite_in_two_there() -> bool:
    """Return whether pytest-xdist is installed."""
    return importlib.util.find_spec("xdist") is not None


def is_memory_told() -> bool:
    """Return whether this system says how much memory a process ever had."""
    return Path("/proc/self/status").exists()


def _timed(
    command: Sequence[str],
    cwd: Path | None = None,
    ends_with: Sequence[int] = (0,),
    environment: Mapping[str, str] | None = None,
) -> float:
    started = time.perf_counter()
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    took = time.perf_counter() - started
    if ended.returncode not in ends_with:
        ended.check_returncode()
    return took


def _compiled(base: Path) -> Mapping[str, str]:
    """Return what has Python compile once, as on installing, also where nothing may be kept."""
    return {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(base.with_name("compiled")),
    }


def _peak_mib(status: str) -> float:
    """Return the most memory that a process ever had, from proc_pid_status(5)."""
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found, status
    return int(found[1]) / 1024


_PYTEST = (sys.executable, "-m", "pytest", "-q", "--tb=no")
