"""Declared divergences: broken promises that are known, with a reason.

A TOML file, or `[tool.reedbackup]` in pyproject.toml, holds entries

    [[divergence]]
    implementation = "./adapter"          # as given to --reedbackup-impl, or its own name
    case = "ticket/create/same-second"    # or a glob pattern, as ticket/restore/*
    reason = "the second backup overwrites the first"
    id = "D4"                             # a defect id or an issue's URL

and, where some of them are for implementations of other runs only,

    implementations = ["./adapter", "./adapter-2"]

It is strict: an entry one of whose cases does not fail any more fails the run.
An entry that matches no case, that no implementation answers to, or that gives
no reason is a usage error, as are two entries for one case.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from reedbase_backup.last.divergences import DIVERGENCES

# What stands for a reason that is still to be given: alone, or (a note to oneself) in front.
_PLACEHOLDER = re.compile(
    r"(todo|fixme|tbd|tba|tbc|xxx+|wip)\b.*"
    r"|(reason|id|none|null|n/?a|unknown|placeholder|fill (me |this )?in|because|why|test|<.*>)"
    r"|[\W\d_]*",
    re.IGNORECASE | re.DOTALL,
)
# How alike two names are of which one is taken for a misspelling of the other.
_ALIKE = 0.8


class Divergence(Struct, frozen=True, forbid_unknown_fields=True):
    """One declared divergence."""

    implementation: str
    case: str
    """The id of a case, or a pattern that each of several ids matches."""
    reason: str
    id: str


class UnusableDivergences(Exception):
    """The entries cannot be applied; the message says where, why, and what to do."""


class _File(Struct, forbid_unknown_fields=True):
    divergence: list[Divergence] = []
    implementations: list[str] = []


@dataclass(frozen=True)
class Declared:
    """The divergences that are declared in one place."""

    entries: Sequence[Divergence] = ()
    others: Sequence[str] = ()
    """Names of implementations of other runs only."""
    where: str = ""

    def by(self, names: Collection[str]) -> list[Divergence]:
        """Return what an implementation with these names declares."""
        return [entry for entry in self.entries if entry.implementation in names]

    def of(self, names: Collection[str], case_id: str) -> Divergence | None:
        """Return what an implementation with these names declares of one case."""
        entries = (entry for entry in self.by(names) if _matches(entry.case, case_id))
        # The id itself says more than a pattern: where cases are not known, both may be there.
        return min(entries, key=lambda entry: entry.case != case_id, default=None)

    def defects(self, names: Collection[str]) -> frozenset[str]:
        """Return the ids of the defects in whose place an implementation diverges."""
        return frozenset(entry.id for entry in self.by(names))

    def under(self, on_top: Declared) -> Declared:
        """Return these, but for what `on_top` declares of the same cases, and that."""
        left = [
            entry for entry in self.entries if on_top.of([entry.implementation], entry.case) is None
        ]
        return Declared([*left, *on_top.entries], on_top.others, on_top.where)

    def not_in_run(self, names: Collection[str]) -> list[str]:
        """Return the names in entries that no implementation of this run answers to."""
        return sorted({entry.implementation for entry in self.entries} - set(names))

    def check_implementations(self, names: Collection[str], *, asked_for: bool) -> None:
        """Raise UnusableDivergences for a name that looks like a misspelling.

        `names`: those that this run's implementations answer to. `asked_for`:
        whether the entries were asked for by name, for just this run.
        """
        not_in_run = self.not_in_run(names)
        idle = asked_for and len(not_in_run) == len(
            {entry.implementation for entry in self.entries}
        )
        for name in not_in_run:
            if name in self.others:
                continue
            nearest = _nearest(name, [*names, *self.others], 0 if idle or self.others else _ALIKE)
            if nearest:
                raise UnusableDivergences(
                    f"{self.where}: no implementation of this run is called {name!r}; the nearest"
                    f" name is {nearest!r}. Correct it; if {name!r} is another one, that other runs"
                    f" meet, put it into the list `implementations` at the top"
                )

    def check_cases(self, case_ids: Collection[str], aliases: Iterable[Collection[str]]) -> None:
        """Raise UnusableDivergences for entries without a case, and for two of one case.

        `case_ids`: all of the suite. `aliases`: for each implementation of this
        run, the names that it answers to.
        """
        for entry in self.entries:
            if not any(_matches(entry.case, case_id) for case_id in case_ids):
                nearest = _nearest(entry.case, case_ids, 0)
                raise UnusableDivergences(
                    f"{self.where}: there is no case {entry.case}; correct it, or remove the entry"
                    f" (the nearest that there is: {nearest})"
                )
        strangers = ({name} for name in {entry.implementation for entry in self.entries})
        for names in (*aliases, *strangers):
            entries = self.by(names)
            for case_id in case_ids:
                twice = [entry for entry in entries if _matches(entry.case, case_id)][:2]
                if len(twice) == 2:
                    raise UnusableDivergences(_declared_twice(self.where, case_id, *twice))


def shipped(implementations: Collection[str]) -> Declared:
    """Return what the package declares of its own implementations, of those among these."""
    name = "python-last"
    if name not in implementations:
        return Declared()
    return Declared(
        [
            Divergence(name, case_id, divergence.port, divergence.id)
            for divergence in DIVERGENCES.values()
            for case_id in divergence.cases
        ],
        where="this package",
    )


def read_file(path: Path) -> Declared:
    """Return the divergences of a TOML file. Raise UnusableDivergences."""
    return parse(_document(path), str(path))


def read_pyproject(path: Path) -> Declared:
    """Return those in `[tool.reedbackup]` of a pyproject.toml. Raise UnusableDivergences."""
    table = _document(path).get("tool", {}).get("reedbackup", {})
    return parse(table, f"{path}, [tool.reedbackup]")


def parse(document: object, where: str) -> Declared:
    """Return the divergences of a parsed document. Raise UnusableDivergences."""
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise UnusableDivergences(f"{where}: {error}") from error
    seen: dict[tuple[str, str], Divergence] = {}
    for entry in file.divergence:
        for name in ("implementation", "case"):
            if not getattr(entry, name).strip():
                raise UnusableDivergences(f"{where}: an entry's `{name}` is empty")
        for name, what in (("reason", "why it diverges"), ("id", "a defect's id or a URL")):
            if (text := getattr(entry, name).strip()) == "" or _is_placeholder(name, text):
                raise UnusableDivergences(
                    f"{where}: {entry.case} has no {name} yet, but {text!r}; say there {what}"
                )
        if (other := seen.setdefault((entry.implementation, entry.case), entry)) is not entry:
            raise UnusableDivergences(_declared_twice(where, entry.case, other, entry))
    return Declared(file.divergence, file.implementations, where)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableDivergences(f"{path}: {error}") from error


def _matches(pattern: str, case_id: str) -> bool:
    return pattern == case_id or fnmatch.fnmatchcase(case_id, pattern)


def _is_placeholder(name: str, text: str) -> bool:
    # An issue may be called by its bare number, a reason not.
    if name == "id" and text.lstrip("#").isdecimal():
        return False
    return _PLACEHOLDER.fullmatch(text) is not None


def _nearest(name: str, names: Iterable[str], cutoff: float) -> str | None:
    """Return the name that is most like `name`, whatever the case of its letters."""
    folded = {each.casefold(): each for each in names}
    nearest = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[nearest[0]] if nearest else None


def _declared_twice(where: str, case_id: str, one: Divergence, other: Divergence) -> str:
    places = " and ".join(f"{each.case!r} of {each.implementation!r}" for each in (one, other))
    return f"{where}: {case_id} is declared twice, by {places}; keep one of the two"
