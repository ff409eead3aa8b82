"""What an implementation answered to a call: a value, or an error of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pytest_reedbackup.model.failures import BrokenPromise, Cause, short_repr
from reedbase_backup.adapter.words import did_you_mean

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True


@dataclass(frozen=True, slots=True)
class Answered:
    """The implementation returned a value."""

    value: Any
    elapsed_ns: int
    untranslated: Any = None
    """The value in the implementation's own type, where `value` is a translation of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The implementation answered with an error of its own."""

    kind: str
    fields: dict[str, Any]
    message: str
    elapsed_ns: int

    def __str__(self) -> str:
        return f"error {self.kind}: {self.message}"

    @property
    def is_tar_failure(self) -> bool:
        """Whether it says that tar failed."""
        return (self.kind, self.fields.get("command")) == ("CommandFailed", "tar")

    def cause(self, usual: Cause = Cause.OTHER_ERROR) -> Cause:
        """Return in which way it breaks a promise: `usual`, unless tar failed."""
        return Cause.TAR_FAILURE if self.is_tar_failure else usual


Answer = Answered | Refused


def value_of(answer: Answer, what: str) -> Any:
    """Return the value of a call; raise BrokenPromise where it answered with an error."""
    if isinstance(answer, Answered):
        return answer.value
    raise BrokenPromise(
        what,
        expected="a value",
        found=str(answer),
        cause=answer.cause(Cause.ERROR),
        alike=str(answer),
    )


def refusal_of(answer: Answer, what: str, kinds: Collection[str] = ()) -> Refused:
    """Return the error of a call; raise BrokenPromise for a value, or an error not of `kinds`."""
    wanted = f"error {' or '.join(kinds)}" if kinds else "an error"
    if isinstance(answer, Answered):
        value = answer.value if answer.untranslated is None else answer.untranslated
        raise BrokenPromise(
            what,
            expected=wanted,
            found=f"success: {short_repr(value)}",
            cause=Cause.NO_ERROR,
        )
    if kinds and answer.kind not in kinds:
        meant = did_you_mean(answer.kind, kinds)
        raise BrokenPromise(what, expected=wanted, found=f"{answer}{meant}", cause=answer.cause())
    return answer
