"""What time it is at each call of a scenario, for all sides alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_reedbackup.generate.last.scenarios import Call, Create, Scenario
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.parity.facts import Side

# A clock that is moved is set to a tenth of the second.
_WITHIN_A_SECOND = 0.85


class SecondPassed(Exception):
    """A call that was to be made within one second took longer: nothing can be said of it."""


class Times:
    """Real time: nothing depends on it."""

    def set_for(self, call: Call) -> None:
        """Sets the clocks for a call."""

    def check_after(self, call: Call) -> None:
        """Raises SecondPassed where the call went on past its second."""


@dataclass
class _Passing(Times):
    """A second passes before each further backup, so that no two are of one second by chance."""

    sides: Sequence[Side]
    _has_created: bool = False

    def set_for(self, call: Call) -> None:
        if isinstance(call, Create):
            for side in self.sides if self._has_created else ():
                side.implementation.clock.advance(1)
            self._has_created = True


class _Set(Times):
    """The clocks go where the scenario says, backwards too."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self._sides = sides
        self._clocks = [side.implementation.clock for side in sides]
        self._set_at = 0.0
        self.reset()
        self._starts = [clock.seconds() for clock in self._clocks]
        # Who is told the time with each backup has the real one otherwise; and who
        # is recorded without others must do then what is done beside such a one.
        ran = [side.implementation.connection for side in sides]
        self._is_told = any(clock.params() for clock in self._clocks) or any(
            each.recording or each.recorder for each in ran
        )

    def set_for(self, call: Call) -> None:
        if self._is_told and not isinstance(call, Create):
            self.reset()
            return
        for side, start in zip(self._sides, self._starts, strict=True):
            side.implementation.clock.set(start + call.at)
            side.now.append(start + call.at)
        self._set_at = time.monotonic()

    def check_after(self, call: Call) -> None:
        # The clocks are not asked: a recorded one answers in the order of the recording.
        took = time.monotonic() - self._set_at
        has_moved = any(not clock.params() for clock in self._clocks)
        if isinstance(call, Create) and has_moved and took > _WITHIN_A_SECOND:
            raise SecondPassed

    def reset(self) -> None:
        """Real time again."""
        for clock in self._clocks:
            clock.reset()


@contextmanager
def times(scenario: Scenario, *sides: Side) -> Iterator[Times]:
    """The clocks of a scenario's calls.

    They are set where those of all sides can be. Raises MissingCapability where
    a recording was made with a clock that was set, and somebody's cannot be.
    """
    creates = sum(isinstance(call, Create) for call in scenario.calls)
    if creates < 2 and not any(call.at for call in scenario.calls):
        yield Times()
        return
    if not all(side.implementation.clock.is_settable for side in sides):
        for side in sides:
            if side.implementation.clock.is_settable and side.implementation.connection.recording:
                sentence = f"{side.name} was recorded with a clock that was set"
                raise MissingCapability("clock", sentence, tool=True)
        yield _Passing(sides)
        return
    clocks = _Set(sides)
    try:
        yield clocks
    finally:
        clocks.reset()
