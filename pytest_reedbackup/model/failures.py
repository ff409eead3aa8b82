"""Why a case does not pass: whose fault it is, or what is missing.

Only BrokenPromise is the implementation's fault. Any other exception in a case
is the harness's, the adapter's or the machine's, and its outcome is `error`.
"""

from __future__ import annotations

A_VALUE = "a value"
"""What is expected of a call that answered with an error instead."""


class BrokenPromise(AssertionError):
    """The implementation did not do what the case promises."""

    def __init__(self, what: str, *, expected: str, found: str) -> None:
        super().__init__(f"{what}: expected {expected}, found {found}")
        self.what = what
        self.expected = expected
        self.found = found


class UnfitValue(BrokenPromise):
    """What a function returned is not of its contract's type, or cannot be sent at all."""


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
