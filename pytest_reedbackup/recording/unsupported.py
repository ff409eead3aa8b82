"""What no recording can show, and why: the one place that decides it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.recording.format import RecordedCase

PROCESS = "a process"
FUNCTIONS = "Python functions"
TIME = "this machine's time"
LIVE = "an implementation that runs"
OTHER_FILES = "files of every kind"

WHY: Mapping[str, str] = {
    PROCESS: "a recording can be neither killed nor traced",
    FUNCTIONS: "a recording holds what they answered, not the functions themselves",
    TIME: "a recording's times are those of another machine and another day",
    LIVE: "archives of other implementations were not there when this one was recorded",
    OTHER_FILES: "a recording holds no FIFOs, sockets and devices",
}
"""For each thing that a case may need and no recording has, the sentence that says why."""

_RATIO = "bounds/ratio"


def is_timed(case: Case) -> bool:
    """Whether the case judges how long calls take."""
    return case.rule.startswith("bounds/")


def missing(need: str) -> MissingCapability:
    """Return the reason to skip a case that needs `need`."""
    return MissingCapability(need, WHY.get(need, need))


def missing_of_recording(
    case: Case, recorded: RecordedCase | None, others: bool
) -> MissingCapability | None:
    """Return why `case` cannot be held against a recording; None where it can.

    `others`: whether the run has other implementations too.
    """
    if is_timed(case):
        return missing(TIME)
    if others and "/interchange/" in case.id:
        return missing(LIVE)
    if recorded is None:
        return None
    if recorded.needs:
        return missing(recorded.needs)
    if (skipped := recorded.skipped) is not None:
        sentence = f"{skipped.sentence} (when it was recorded)"
        return MissingCapability(skipped.capability, sentence, tool=skipped.tool)
    return None


def missing_of_baseline(case: Case) -> MissingCapability | None:
    """Return why `case` cannot be compared with a recorded baseline; None where it can."""
    return missing(TIME) if case.rule == _RATIO else None
