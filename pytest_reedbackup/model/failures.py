"""Why a case does not pass: whose fault it is, or what is missing.

Only BrokenPromise is the implementation's fault. Any other exception in a case
is the harness's, the adapter's or the machine's, and its outcome is `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pytest_reedbackup.model.symptoms import symptom


class Cause(StrEnum):
    """In which way an implementation broke a promise."""

    ERROR = "error"
    """A call answered with an error, and the case needs the value."""
    TAR_FAILURE = "tar failure"
    """A call answered that tar failed, as the baseline's does at random (defect D1)."""
    OTHER_ERROR = "other error"
    """A call answered with another error than is promised, or one that says too little."""
    NO_ERROR = "no error"
    """A call succeeded, and an error is promised."""
    NO_ANSWER = "no answer"
    """A call did not answer within the time that is promised."""
    SHAPE = "shape"
    """A value is not of its contract's type."""
    MISSING_FIELD = "missing field"
    """The case needs a field that the implementation's own type does not have."""
    VALUE = "value"
    """What the case looked at is another than is promised."""
    TREE = "tree"
    """Files and folders are others than are promised."""
    ARCHIVE = "archive"
    """An archive cannot be read as the archive that is promised."""
    BEHAVIOUR = "behaviour"
    """What calls answered and left on disk, looked at together, is not what is promised."""
    TIME = "time"
    """Calls took longer than is promised."""
    KEPT = "kept"
    """The promise is kept, and a divergence from it is declared."""


class BrokenPromise(AssertionError):
    """The implementation did not do what the case promises.

    `cause` is for programs; what was looked at, what was expected of it, what was found and in
    which lines these differ are for people. `alike` says what other cases that it breaks for the
    same cause have in common with it; by default all its words but for paths and numbers.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: str,
        found: str,
        cause: Cause = Cause.VALUE,
        difference: Sequence[str] = (),
        alike: str = "",
    ) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found
        self.cause = cause
        self.difference = tuple(difference)
        """Lines that begin with `-` for what is missing and `+` for what is too much."""
        self.symptom = symptom(alike) if alike else symptom(what, expected, found)


class UnfitValue(BrokenPromise):
    """What a function returned is not of its contract's type, or cannot be sent at all."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(what, expected=expected, found=found, cause=Cause.SHAPE)


class MissingCapability(Exception):
    """The case needs what neither the adapter nor this machine offers: outcome `skip`."""

    def __init__(self, capability: str, sentence: str, *, tool: bool = False) -> None:
        super().__init__(f"needs {capability}: {sentence}")
        self.capability = capability
        self.sentence = sentence
        """Why it is not there."""
        self.tool = tool
        """Whether it is the machine that lacks a tool: then the rule is undecided."""


class UndecidedBound(Exception):
    """The measurements are too noisy to hold the implementation to a bound, or to clear it."""


def short_repr(value: object) -> str:
    """Return `repr(value)`, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:600]} … ({len(text)} characters)"
