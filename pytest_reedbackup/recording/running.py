"""Which case runs: what a call belongs to on a tape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import pytest

from pytest_reedbackup.model.case import Case, case_of


@dataclass(frozen=True, slots=True)
class Running:
    """A case that runs, and what it is called on a tape."""

    case: Case
    name: str


_running: ContextVar[Running | None] = ContextVar("reedbackup_running", default=None)


def running() -> Running | None:
    """The case that runs in this process; None between cases, and in a user's own tests."""
    return _running.get()


def taped_name(item: pytest.Item) -> str:
    """The case's id, and its share of a campaign where it has one."""
    case = case_of(item)
    if case is None:
        return ""
    specification = getattr(item, "callspec", None)
    share = specification.params.get("share") if specification else None
    return case.id if share is None else f"{case.id}, share {share}"


@contextmanager
def runs(case: Case | None, name: str) -> Iterator[None]:
    """For as long as `case` runs, which a tape calls `name`."""
    token = _running.set(Running(case, name) if case else None)
    try:
        yield
    finally:
        _running.reset(token)
