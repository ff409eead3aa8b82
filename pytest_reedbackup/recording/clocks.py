"""The clock of an implementation that is recorded, and the clock of a replay."""

from __future__ import annotations

from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.model.adapter_faults import NotRecorded
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.recording.current_case import current_case
from pytest_reedbackup.recording.format import RecordedCase, Recording
from pytest_reedbackup.recording.recorder import Recorder


class RecordingClock:
    """Any clock, with the times that it shows to a case recorded."""

    def __init__(self, clock: Clock, recorder: Recorder) -> None:
        self._clock = clock
        self._recorder = recorder
        # Calls carry the time of such a clock: all times follow from where the case began.
        self._is_sent = bool(clock.params())
        self.way = clock.way
        self.is_settable = clock.is_settable

    def seconds(self) -> int:
        """Return the time that the clock shows."""
        seconds = self._clock.seconds()
        if not self._is_sent and (recorded := self._recorder.case) is not None:
            recorded.seconds.append(seconds)
        return seconds

    def set(self, seconds: int) -> None:
        """Set the clock."""
        self._clock.set(seconds)

    def advance(self, seconds: int = 1) -> None:
        """Advance the clock."""
        self._clock.advance(seconds)

    def reset(self) -> None:
        """Set it to the real time, for all implementations of a case to the same moment."""
        self._clock.reset()
        recorded = self._recorder.case
        if not self._is_sent or recorded is None:
            return
        if recorded.started is None:
            recorded.started = self._clock.seconds()
        self._clock.set(recorded.started)

    def params(self) -> dict[str, int]:
        """Return what the clock adds to the parameters of a call."""
        return self._clock.params()


class ReplayClock(CapabilityClock):
    """The clock of a recording: it shows the recorded times, and waits for nothing."""

    def __init__(self, recording: Recording) -> None:
        header = recording.header
        self._cases = recording.cases
        self._is_sent = "clock" in header.hello.capabilities
        self._times_shown: dict[str, int] = {}
        self.way = header.clock
        self.is_settable = header.clock_is_settable
        super().__init__()

    def seconds(self) -> int:
        """Return the next of the times that the case was shown. Raise NotRecorded after the last.

        A clock of capability `clock` shows the time that it was set to.
        """
        current = current_case()
        if self._is_sent or current is None:
            return super().seconds()
        recorded, shown = self._cases.get(current.name), self._times_shown.get(current.name, 0)
        if recorded is None or shown >= len(recorded.seconds):
            raise NotRecorded(f"the clock was not asked {shown + 1} times by {current.name}")
        self._times_shown[current.name] = shown + 1
        return recorded.seconds[shown]

    def set(self, seconds: int) -> None:
        """Set the clock. Raise MissingCapability where the recorded one could only wait."""
        if not self.is_settable:
            raise MissingCapability("clock", "it was recorded with a clock that only waits")
        super().set(seconds)

    def reset(self) -> None:
        """Set it to the moment at which the case began when it was recorded."""
        super().reset()
        recorded = self._recorded()
        if recorded is not None and recorded.started is not None:
            self._seconds = recorded.started

    def params(self) -> dict[str, int]:
        """Return `now_ns` where the recorded implementation got it."""
        return super().params() if self._is_sent else {}

    def _recorded(self) -> RecordedCase | None:
        current = current_case()
        return self._cases.get(current.name) if current else None
