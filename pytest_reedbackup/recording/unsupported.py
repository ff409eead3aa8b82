"""What no recording can show, and which cases need it: the one place that decides it."""

from __future__ import annotations

from enum import StrEnum

from pytest_reedbackup.model.case import Case, Comparison, Kind
from pytest_reedbackup.model.failures import MissingCapability


class Unsupported(StrEnum):
    """Something that a case may need and no recording has.

    The value is the capability that outcomes and recordings name.
    """

    sentence: str
    """Why no recording has it."""

    def __new__(cls, capability: str, sentence: str) -> Unsupported:
        """Make a member of a capability and the sentence."""
        member = str.__new__(cls, capability)
        member._value_ = capability
        member.sentence = sentence
        return member

    PROCESS = "a process", "a recording can be neither killed nor traced"
    FUNCTIONS = (
        "Python functions",
        "a recording holds what they answered, not the functions themselves",
    )
    TIME = (
        "this machine's time",
        "a recording's times are those of another machine and another day",
    )
    LIVE = (
        "an implementation that runs",
        "archives of other implementations were not there when this one was recorded",
    )
    OTHER_FILES = "files of every kind", "a recording holds no FIFOs, sockets and devices"

    def missing(self) -> MissingCapability:
        """Return the reason to skip a case that needs it."""
        return MissingCapability(self.value, self.sentence)


def is_timed(case: Case) -> bool:
    """Return whether the case judges how long calls take."""
    return case.kind is Kind.BOUND


def need_of_target(case: Case, *, others: bool) -> Unsupported | None:
    """Return why no recording can be held to `case`; None where one can.

    `others`: whether the run has other implementations too.
    """
    if is_timed(case):
        return Unsupported.TIME
    return Unsupported.LIVE if others and case.comparison is Comparison.OTHERS else None


def need_of_baseline(case: Case) -> Unsupported | None:
    """Return why no recording can be the baseline of `case`; None where one can."""
    is_ratio = is_timed(case) and case.comparison is Comparison.BASELINE
    return Unsupported.TIME if is_ratio else None
