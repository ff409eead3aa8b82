"""The clock of an implementation while it is recorded, and the one that a replay sees."""

from __future__ import annotations

from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.model.adapter_faults import NotRecorded
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.recording.format import Tape
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.running import running


class RecordedClock:
    """Any clock; what it says to a case goes on the tape."""

    def __init__(self, clock: Clock, recorder: Recorder) -> None:
        self._clock = clock
        self._recorder = recorder
        # Where each call is told the time, all follows from where the case began.
        self._tells = bool(clock.params())
        self.way = clock.way
        self.is_settable = clock.is_settable

    def seconds(self) -> int:
        """What the clock says."""
        seconds = self._clock.seconds()
        if not self._tells and (taped := self._recorder.case) is not None:
            taped.seconds.append(seconds)
        return seconds

    def set(self, seconds: int) -> None:
        """As the clock does."""
        self._clock.set(seconds)

    def advance(self, seconds: int = 1) -> None:
        """As the clock does."""
        self._clock.advance(seconds)

    def reset(self) -> None:
        """The real time; one moment for all implementations of a case that are told it."""
        self._clock.reset()
        taped = self._recorder.case
        if not self._tells or taped is None:
            return
        if taped.started is None:
            taped.started = self._clock.seconds()
        self._clock.set(taped.started)

    def params(self) -> dict[str, int]:
        """As the clock does."""
        return self._clock.params()


class ReplayedClock(CapabilityClock):
    """What the clock of a recording said and took; time itself costs nothing."""

    def __init__(self, tape: Tape) -> None:
        header = tape.header
        self._cases = tape.cases
        self._tells = "clock" in header.hello.capabilities
        self._asked: dict[str, int] = {}
        self.way = header.clock
        self.is_settable = header.clock_is_settable
        super().__init__()

    def seconds(self) -> int:
        """What it said when it was asked as many times before."""
        now = running()
        if self._tells or now is None:
            return super().seconds()
        taped, asked = self._cases.get(now.name), self._asked.get(now.name, 0)
        if taped is None or asked >= len(taped.seconds):
            raise NotRecorded(f"the clock was not asked {asked + 1} times by {now.name}")
        self._asked[now.name] = asked + 1
        return taped.seconds[asked]

    def set(self, seconds: int) -> None:
        """Raises MissingCapability where the recorded one only waited."""
        if not self.is_settable:
            raise MissingCapability("clock", "it was recorded with a clock that only waits")
        super().set(seconds)

    def reset(self) -> None:
        """The moment at which the case began when it was recorded."""
        super().reset()
        now = running()
        taped = self._cases.get(now.name) if now else None
        if taped is not None and taped.started is not None:
            self._seconds = taped.started

    def params(self) -> dict[str, int]:
        """`now_ns`, where the recorded implementation was told it."""
        return super().params() if self._tells else {}
