"""Describe a counterexample, and save it as a folder that a person can open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.generate.last.descriptions import describe_call, describe_scenario
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.generate.last.temporary_bases import BASE, temporary_bases
from pytest_reedbackup.parity.comparison import Difference

_COLUMN = 48
"""Characters of one side of two."""


@dataclass(frozen=True)
class Counterexample:
    """A scenario on which two sides differ."""

    scenario: Scenario
    difference: Difference
    after: Path | None
    """A folder with the bases after the calls, `a/.reed` and `b/.reed`, if there is one."""

    @property
    def title(self) -> str:
        """What differs, and the call."""
        number = self.difference.call
        call = describe_call(self.scenario.calls[number - 1])
        return f"{self.difference.heading}, after call {number}: {call}"


def save(counterexample: Counterexample, folder: Path, lines: Sequence[str]) -> None:
    """Fill `folder` with the database before the calls, both sides' after them, and `lines`."""
    if folder.exists():
        remove_tree(folder)
    before = folder / "database" / BASE
    before.parent.mkdir(parents=True)
    counterexample.scenario.build(before)
    if counterexample.after is not None:
        for side in ("a", "b"):
            clone_tree(counterexample.after / side, folder / f"after-{side.upper()}")
    (folder / "scenario.json").write_bytes(counterexample.scenario.to_json())
    (folder / "README.txt").write_text("\n".join([*lines, ""]), "utf-8")


def describe(counterexample: Counterexample, a: str, b: str) -> list[str]:
    """Return the database, the calls, and what came of them on both sides, in lines."""
    with temporary_bases(counterexample.scenario, "before") as (base,):
        lines = describe_scenario(counterexample.scenario, base)
    return [
        "the smallest database and calls that show it:",
        *(f"  {line}" for line in lines),
        f"{counterexample.difference.heading}, after call {counterexample.difference.call}:",
        *(f"  {line}" for line in _side_by_side(counterexample.difference, a, b)),
    ]


def _side_by_side(difference: Difference, a: str, b: str) -> Iterator[str]:
    left = [f"A: {a}", *difference.lines(difference.a)]
    right = [f"B: {b}", *difference.lines(difference.b)]
    for one, other in zip_longest(_wrapped(left), _wrapped(right), fillvalue=""):
        yield f"{one:{_COLUMN}} | {other}".rstrip()


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, _COLUMN) or [""]]
