"""A difference in words, and as a folder that a person can open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.generate.last.descriptions import call_in_words, scenario_in_words
from pytest_reedbackup.generate.last.sandbox import BASE, built
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.parity.comparison import Difference

_COLUMN = 48
"""Characters of one side of two."""


@dataclass(frozen=True)
class Found:
    """A scenario on which two sides differ."""

    scenario: Scenario
    difference: Difference
    after: Path | None
    """A folder with the bases after the calls, `a/.reed` and `b/.reed`, if there is one."""

    @property
    def what(self) -> str:
        """The call, and what differs."""
        call = self.scenario.calls[self.difference.call - 1]
        return f"{self.difference.heading}, after call {self.difference.call}:" + (
            f" {call_in_words(call)}"
        )


def keep(found: Found, folder: Path, told: Sequence[str]) -> None:
    """Make `folder` hold the database as before the calls, both sides after, and the words."""
    if folder.exists():
        remove_tree(folder)
    before = folder / "database" / BASE
    before.parent.mkdir(parents=True)
    found.scenario.build(before)
    for side in ("a", "b") if found.after else ():
        assert found.after is not None
        clone_tree(found.after / side, folder / f"after-{side.upper()}")
    (folder / "scenario.json").write_bytes(found.scenario.encoded())
    (folder / "README.txt").write_text("\n".join([*told, ""]), "utf-8")


def in_words(found: Found, a: str, b: str) -> list[str]:
    """The smallest database, the calls, and what came of them on both sides."""
    with built(found.scenario, "before") as (base,):
        told = scenario_in_words(found.scenario, base)
    return [
        "the smallest database and calls that show it:",
        *(f"  {line}" for line in told),
        f"{found.difference.heading}, after call {found.difference.call}:",
        *(f"  {line}" for line in _side_by_side(found.difference, a, b)),
    ]


def _side_by_side(difference: Difference, a: str, b: str) -> Iterator[str]:
    left = [f"A: {a}", *difference.lines(difference.a)]
    right = [f"B: {b}", *difference.lines(difference.b)]
    for one, other in zip_longest(_wrapped(left), _wrapped(right), fillvalue=""):
        yield f"{one:{_COLUMN}} | {other}".rstrip()


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, _COLUMN) or [""]]
