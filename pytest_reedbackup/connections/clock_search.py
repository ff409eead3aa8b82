"""Find the best clock for an implementation, by trying which of them it sees."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.runner import Runner
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.implementations.clocks.faketime import (
    FakeTimeClock,
    find_libfaketime,
    moves_a_clock,
)
from pytest_reedbackup.implementations.clocks.moved import MovedClock
from pytest_reedbackup.implementations.clocks.real import RealClock
from pytest_reedbackup.implementations.tar_failures import past_tar_failures
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.recording.clocks import ReplayClock
from reedbase_backup.adapter.loading import CLOCK
from reedbase_backup.adapter.protocol import Hello

# 2033; the time that a clock is tried with.
_PROBED_SECOND = 2_000_000_000


@dataclass(frozen=True)
class ClockSearch:
    """The search for one implementation's clock; `scratch` is a folder of its own."""

    runner: Runner
    hello: Hello
    limits: TimeLimits
    scratch: Path

    def best(self) -> Clock:
        """Return the clock; what runs after that, if anything does, runs with it."""
        runner = self.runner
        if (recording := runner.recording) is not None:
            return ReplayClock(recording)
        if CLOCK in self.hello.capabilities:
            return CapabilityClock()
        if runner.is_in_process:
            if self._is_reached_by(runner.in_process_clock, {}):
                return runner.in_process_clock
            # It asks the system itself, as code in C does; a process of its own may follow.
            runner.is_served = True
        clock = self._clock_of_a_process()
        runner.is_served = runner.is_served and isinstance(clock, FakeTimeClock)
        return clock

    def _clock_of_a_process(self) -> Clock:
        lacking = "it has no capability `clock`, and"
        library = find_libfaketime()
        if library is None:
            hint = "libfaketime (Debian's package `faketime`) is not installed"
            return RealClock(f"{lacking} {hint}", tool=True)
        clock = FakeTimeClock(library, self.scratch, self.hello.language)
        if self._is_reached_by(clock, {**self.runner.python_path, **clock.environment}):
            return clock
        if not moves_a_clock(library):
            return RealClock(f"{lacking} libfaketime moves no clock on this machine", tool=True)
        return RealClock(f"{lacking} libfaketime does not reach its process", tool=False)

    def _is_reached_by(self, clock: MovedClock, environment: Mapping[str, str]) -> bool:
        """Return whether it shows the time that is set; then it runs with that clock."""
        self.runner.close()
        try:
            self.runner.start(environment, self.limits.hello)
            timestamp = self._timestamp_at(clock, _PROBED_SECOND)
        except (AdapterFault, BrokenPromise):
            timestamp = None
        clock.reset()
        if timestamp is not None and abs(timestamp - _PROBED_SECOND) < abs(timestamp - time.time()):
            return True
        self.runner.close()
        return False

    def _timestamp_at(self, clock: MovedClock, second: int) -> int | None:
        """Return the timestamp of a backup that is made then; None where it cannot make one."""
        client, contract = self.runner.client, self.hello.contracts[0]
        assert client is not None
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            base = Path(folder) / ".reed"
            build(DatabaseSpec(tables=1, rows=1), base)
            clock.set(second)
            answer = past_tar_failures(
                lambda: client.call("create_backup", contract, base, self.limits.call)
            )
            return int(answer.value.timestamp) if isinstance(answer, Answered) else None
