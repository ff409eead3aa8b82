"""What time it is at each call of a scenario: the same for all sides."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_reedbackup.generate.last.scenarios import Call, Create, Scenario
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.parity.sides import SideRun

# A clock that is moved is set to a tenth of the second.
_WITHIN_A_SECOND = 0.85


class SecondOverrun(Exception):
    """A call that was to be made within one second took longer, so the sides cannot be compared."""


class CallTimes:
    """Leave the clocks alone: no call depends on the time."""

    def set_for(self, call: Call) -> None:
        """Set the clocks for a call."""

    def check_after(self, call: Call) -> None:
        """Raise SecondOverrun where the call went on past its second."""


@dataclass
class _SpacedBackups(CallTimes):
    """Let a second pass before each further backup, so that no two are of one second by chance."""

    runs: Sequence[SideRun]
    _has_created: bool = False

    def set_for(self, call: Call) -> None:
        if isinstance(call, Create):
            for run in self.runs if self._has_created else ():
                run.implementation.clock.advance(1)
            self._has_created = True


class _SetClocks(CallTimes):
    """Set the clocks to what the scenario says, backwards too."""

    def __init__(self, runs: Sequence[SideRun]) -> None:
        self._runs = runs
        self._clocks = [run.implementation.clock for run in runs]
        self._set_at = 0.0
        self.reset()
        self._starts = [clock.seconds() for clock in self._clocks]
        # An implementation that gets the time as a parameter gets it with create_backup only,
        # so all sides have real time in other calls. A recording is made in the same way, for
        # it may be played back beside such an implementation.
        connections = [run.implementation.connection for run in runs]
        self._sets_for_creates_only = any(clock.params() for clock in self._clocks) or any(
            each.recording or each.recorder for each in connections
        )

    def set_for(self, call: Call) -> None:
        if self._sets_for_creates_only and not isinstance(call, Create):
            self.reset()
            return
        for run, start in zip(self._runs, self._starts, strict=True):
            run.implementation.clock.set(start + call.at)
            run.seconds.append(start + call.at)
        self._set_at = time.monotonic()

    def check_after(self, call: Call) -> None:
        # The clocks are not asked: a recorded one answers in the order of the recording.
        took = time.monotonic() - self._set_at
        has_moved = any(not clock.params() for clock in self._clocks)
        if isinstance(call, Create) and has_moved and took > _WITHIN_A_SECOND:
            raise SecondOverrun

    def reset(self) -> None:
        """Set the clocks to real time."""
        for clock in self._clocks:
            clock.reset()


@contextmanager
def call_times(scenario: Scenario, *runs: SideRun) -> Iterator[CallTimes]:
    """Provide the clocks for a scenario's calls; they are back at real time at the end.

    They are set where those of all sides can be. Raises MissingCapability where
    one side is a recording made with a clock that was set, and another side's
    clock cannot be set.
    """
    creates = sum(isinstance(call, Create) for call in scenario.calls)
    if creates < 2 and not any(call.at for call in scenario.calls):
        yield CallTimes()
        return
    if not all(run.implementation.clock.is_settable for run in runs):
        for run in runs:
            if run.implementation.clock.is_settable and run.implementation.connection.recording:
                sentence = f"{run.name} was recorded with a clock that was set"
                raise MissingCapability("clock", sentence, tool=True)
        yield _SpacedBackups(runs)
        return
    clocks = _SetClocks(runs)
    try:
        yield clocks
    finally:
        clocks.reset()
