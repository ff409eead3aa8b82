"""What is recorded of the cases of this process, until they have ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

import msgspec

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.recording.current_case import current_case
from pytest_reedbackup.recording.format import RecordedCall, RecordedCase, RecordedSkip
from pytest_reedbackup.recording.unsupported import Unsupported, is_timed


class CaseRecord(TypedDict):
    """All that was recorded of one case, in types that pytest-xdist can send."""

    name: str
    case: bytes
    """A RecordedCase in JSON."""
    blobs: dict[str, bytes]


@dataclass
class Recorder:
    """The recorded cases that have not been handed over yet."""

    _cases: dict[str, RecordedCase] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)
    _handed_over: set[str] = field(default_factory=set)

    @property
    def case(self) -> RecordedCase | None:
        """The record of the current case; None where nothing is to be recorded."""
        current = current_case()
        if current is None:
            return None
        recorded = self._cases.setdefault(current.name, RecordedCase())
        if is_timed(current.case):
            recorded.needs = Unsupported.TIME
            return None  # a case that is judged by its time alone has nothing to play back
        return recorded

    def needs(self, need: Unsupported) -> None:
        """Note that the current case uses something that no recording can hold."""
        if (recorded := self.case) is not None:
            recorded.needs = need

    def add(self, call: RecordedCall, blobs: dict[str, bytes]) -> None:
        """Record a call, with the contents of the files that it made."""
        if (recorded := self.case) is not None:
            recorded.calls.append(call)
            self._blobs.update(blobs)

    def hand_over(self, name: str, outcome: CaseOutcome) -> CaseRecord:
        """Return and forget the record of a case that has ended."""
        recorded = self._cases.pop(name, RecordedCase())
        recorded.outcome = str(outcome.outcome)
        if outcome.missing:
            recorded.skipped = RecordedSkip(
                outcome.missing, outcome.missing_sentence, outcome.missing_tool
            )
        if recorded.needs is not None:  # a replay skips the case
            recorded.calls.clear()
            self._blobs.clear()
        fresh = {n: blob for n, blob in self._blobs.items() if n not in self._handed_over}
        self._handed_over |= fresh.keys()
        self._blobs.clear()
        return {"name": name, "case": msgspec.json.encode(recorded), "blobs": fresh}
