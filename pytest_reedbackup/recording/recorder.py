"""Recording: what passes between the harness and an implementation goes on a tape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.recording import limits
from pytest_reedbackup.recording.format import Call, CaseTape, Skipped
from pytest_reedbackup.recording.running import running


@dataclass
class Recorder:
    """The cases of this process that are recorded and not yet handed over."""

    _cases: dict[str, CaseTape] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)
    _handed_over: set[str] = field(default_factory=set)

    @property
    def case(self) -> CaseTape | None:
        """What is recorded of the case that runs; None where nothing is to be."""
        now = running()
        if now is None:
            return None
        taped = self._cases.setdefault(now.name, CaseTape())
        if limits.is_timed(now.case):
            taped.needs = limits.TIME
            return None  # judged by its time alone, so there is nothing to play back
        return taped

    def needs(self, need: str) -> None:
        """Notes that the case that runs uses what no tape can hold."""
        if (taped := self.case) is not None:
            taped.needs = need

    def add(self, call: Call, blobs: dict[str, bytes]) -> None:
        """Records a call, with the contents of the files that it made."""
        if (taped := self.case) is not None:
            taped.calls.append(call)
            self._blobs.update(blobs)

    def hand_over(self, name: str, outcome: CaseOutcome) -> dict[str, Any]:
        """All that was recorded of a case that has ended, in plain types."""
        taped = self._cases.pop(name, CaseTape())
        taped.outcome = str(outcome.outcome)
        if outcome.missing:
            sentence = outcome.detail.removeprefix(f"needs {outcome.missing}: ")
            taped.skipped = Skipped(outcome.missing, sentence, outcome.missing_tool)
        if taped.needs:  # it will be skipped
            taped.calls.clear()
            self._blobs.clear()
        fresh = {n: blob for n, blob in self._blobs.items() if n not in self._handed_over}
        self._handed_over |= fresh.keys()
        self._blobs.clear()
        return {"name": name, "case": msgspec.json.encode(taped), "blobs": fresh}
