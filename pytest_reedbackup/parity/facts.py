"""What came of a call, in lines that two implementations can be compared by.

Under each heading, as `table text`, there are the lines of what is observable,
free of what may differ: the base's path, the time, the encoding of deltas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases.held_locks import Hold
from pytest_reedbackup.generate.last.scenarios import Restore
from pytest_reedbackup.views.tree import printable

Facts = Mapping[str, tuple[str, ...]]
"""Lines by heading."""

Line = str | re.Pattern[str]
"""A line that is expected: just this one, or any that fits."""


@dataclass(frozen=True)
class Expected:
    """One way in which a call may go."""

    lines: Mapping[str, tuple[Line, ...]]
    """By heading."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    """Which way it is, where the safe thing may be done in more than one; by what it is about."""

    def agrees_with(self, other: Expected) -> bool:
        """Whether both go the same way where both may choose."""
        both = self.decisions.keys() & other.decisions.keys()
        return all(self.decisions[each] == other.decisions[each] for each in both)


OUTCOME = "the outcome"
REGISTRY = "the registry"
ELSEWHERE = "everything else in the base"
OUTSIDE = "everything beside the base"
AS_BEFORE = ("as before",)
UNTOUCHED: Facts = {REGISTRY: AS_BEFORE, ELSEWHERE: AS_BEFORE, OUTSIDE: AS_BEFORE}


@dataclass(frozen=True)
class Side:
    """One of the two implementations, with a copy of the database of its own."""

    name: str
    """As given on the command line."""
    implementation: Implementation
    base: Path
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""
    locks: Mapping[str, Hold] = field(default_factory=dict)
    """The tables whose lock somebody else holds during each call."""
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    """What to call the versions that it wrote, by the table's name in reports and timestamp."""
    written: dict[int, list[int]] = field(default_factory=dict)
    """The timestamps of the versions that each call wrote."""
    archives: dict[str, str] = field(default_factory=dict)
    """What to call the backups that it made, by file name."""
    now: list[int] = field(default_factory=list)
    """The seconds that its clock was set to, where it was; the last one is now."""
    codes: list[int] = field(default_factory=list)
    """The code of the user system, once it has written something."""

    def at(self, copy: Path) -> Side:
        """It as it is now, with a copy of its base: later calls do not change it."""
        return Side(
            self.name,
            self.implementation,
            copy,
            self.mended,
            self.locks,
            dict(self.made),
            {call: list(stamps) for call, stamps in self.written.items()},
            dict(self.archives),
            list(self.now),
            list(self.codes),
        )

    def held_locks(self) -> dict[Path, Hold]:
        """The files whose lock somebody else holds."""
        return {self.base / "tables" / name / ".lock": how for name, how in self.locks.items()}

    def version(self, table: str, timestamp: int) -> str:
        """What to call a version of a table."""
        return self.made.get((table, timestamp), f"version {timestamp}")

    def target(self, call: Restore) -> int:
        """The target of a restore, in nanoseconds."""
        if not (stamps := self.written.get(call.of_call)):
            return call.target
        return min(stamps) - 1 if call.before else max(stamps)

    def target_in_words(self, call: Restore) -> str:
        """The same, free of the time."""
        if not self.written.get(call.of_call):
            return str(call.target)
        return f"{'just before' if call.before else 'just after'} what call {call.of_call} wrote"


def fits(expected: Expected, facts: Facts, headings: Iterable[str]) -> bool:
    """Whether all that stands under these headings is what is expected."""
    return all(_fit(expected.lines.get(each, ()), facts.get(each, ())) for each in headings)


def _fit(expected: Sequence[Line], lines: Sequence[str]) -> bool:
    return len(expected) == len(lines) and all(
        line.fullmatch(one) is not None if isinstance(line, re.Pattern) else line == one
        for line, one in zip(expected, lines, strict=True)
    )


def in_text(lines: Sequence[Line]) -> str:
    """Lines as they are shown."""
    texts = (line if isinstance(line, str) else line.pattern for line in lines)
    return "\n".join(texts) or "(nothing)"


def refused(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """A recorded error, in a line."""
    return (f"error {in_words(outcome['err'])}",)


def in_words(error: Mapping[str, Any]) -> str:
    """An error's kind and fields."""
    fields = {name: value for name, value in error.items() if name != "kind"}
    told = json.dumps(fields, ensure_ascii=False, sort_keys=True)
    return f"{error['kind']} {told if told.isprintable() else json.dumps(fields, sort_keys=True)}"


def heading_of(table: str) -> str:
    """The heading of a table's facts."""
    return f"table {printable(table)}"
