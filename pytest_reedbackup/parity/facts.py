"""What came of a call, in lines that two implementations can be compared by.

Under each heading, as `table text`, there are the lines of what is observable,
free of what may differ: the base's path, the time, the encoding of deltas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.subject import Subject

Facts = Mapping[str, tuple[str, ...]]
"""Lines by heading."""

OUTCOME = "the outcome"
ELSEWHERE = "everything else in the base"
AS_BEFORE = ("as before",)


@dataclass(frozen=True)
class Side:
    """One of the two implementations, with a copy of the database of its own."""

    name: str
    """As given on the command line."""
    subject: Subject
    base: Path
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    """What to call the versions that it wrote, by table and timestamp."""

    def version(self, table: str, timestamp: int) -> str:
        """What to call a version of a table."""
        return self.made.get((table, timestamp), f"version {timestamp}")


def refused(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """A recorded error, in a line."""
    return (f"error {in_words(outcome['err'])}",)


def in_words(error: Mapping[str, Any]) -> str:
    """An error's kind and fields."""
    fields = {name: value for name, value in error.items() if name != "kind"}
    return f"{error['kind']} {json.dumps(fields, ensure_ascii=False, sort_keys=True)}"


def elsewhere(paths: Sequence[str]) -> tuple[str, ...]:
    """The line about paths that no rule lets a call touch."""
    return tuple(f"changed: {path}" for path in sorted(paths)) or AS_BEFORE
