"""What came of a call, as lines of text that are alike on both sides where the sides are.

Under a heading for each subject, such as `table text`, there are the lines of
what can be seen of it. They leave out what may differ: the base's path, the
time, and how a delta is encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_reedbackup.views.tree import printable

Observation = Mapping[str, tuple[str, ...]]
"""Lines by heading."""

ExpectedLine = str | re.Pattern[str]
"""Just this line, or any one that the whole pattern matches."""

OUTCOME = "the outcome"
REGISTRY = "the registry"
ELSEWHERE = "everything else in the base"
OUTSIDE = "everything beside the base"
AS_BEFORE = ("as before",)
UNTOUCHED: Observation = {REGISTRY: AS_BEFORE, ELSEWHERE: AS_BEFORE, OUTSIDE: AS_BEFORE}


@dataclass(frozen=True)
class ExpectedObservation:
    """One of the observations that contract `last` allows for a call."""

    lines: Mapping[str, tuple[ExpectedLine, ...]]
    """By heading."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    """What an implementation has chosen, by heading, where the contract leaves it a choice."""

    def fits(self, observation: Observation, headings: Iterable[str]) -> bool:
        """Say whether all lines under these headings are as expected."""
        return all(_fit(self.lines.get(each, ()), observation.get(each, ())) for each in headings)

    def agrees_with(self, other: ExpectedObservation) -> bool:
        """Say whether both have chosen the same where both may choose."""
        both = self.decisions.keys() & other.decisions.keys()
        return all(self.decisions[each] == other.decisions[each] for each in both)


def _fit(expected: Sequence[ExpectedLine], lines: Sequence[str]) -> bool:
    return len(expected) == len(lines) and all(
        line.fullmatch(one) is not None if isinstance(line, re.Pattern) else line == one
        for line, one in zip(expected, lines, strict=True)
    )


def joined(lines: Sequence[ExpectedLine]) -> str:
    """Return lines as one text."""
    texts = (line if isinstance(line, str) else line.pattern for line in lines)
    return "\n".join(texts) or "(nothing)"


def error_lines(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the lines about a call that raised an error, given as {"err": error}."""
    return (error_line(outcome["err"]),)


def error_line(error: Mapping[str, Any]) -> str:
    """Return an error's kind and fields in one line."""
    fields = {name: value for name, value in error.items() if name != "kind"}
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True)
    if not text.isprintable():
        text = json.dumps(fields, sort_keys=True)
    return f"error {error['kind']} {text}"


def table_heading(table: str) -> str:
    """Return the heading of the lines about a table, given its folder's name."""
    return f"table {printable(table)}"
