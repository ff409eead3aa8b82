"""The case that runs, which calls and times of a clock belong to in a recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pytest_reedbackup.model.case import Case


@dataclass(frozen=True, slots=True)
class CurrentCase:
    """The case that runs, and its name in a recording."""

    case: Case
    name: str
    """The case's id, and its share of a campaign where it has one."""


_current: ContextVar[CurrentCase | None] = ContextVar("reedbackup_current_case", default=None)


def current_case() -> CurrentCase | None:
    """Return the case that runs in this process; None between cases and in a user's own tests."""
    return _current.get()


@contextmanager
def during(case: Case | None, name: str) -> Iterator[None]:
    """Make `case`, which a recording has as `name`, the current one for a while."""
    token = _current.set(CurrentCase(case, name) if case else None)
    try:
        yield
    finally:
        _current.reset(token)
