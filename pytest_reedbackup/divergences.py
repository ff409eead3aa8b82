"""Declared divergences: broken promises that are known, with a reason.

A TOML file, or `[tool.reedbackup]` in pyproject.toml, holds entries

    [[divergence]]
    implementation = "./adapter"          # as given to --reedbackup-impl
    case = "ticket/create/same-second"
    reason = "the second backup overwrites the first"
    id = "D4"                             # a defect id or an issue's URL

It is strict: an entry whose case does not fail any more fails the run, and an
entry whose case does not exist is a usage error.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from reedbase_backup.last.divergences import DIVERGENCES


class Divergence(Struct, frozen=True, forbid_unknown_fields=True):
    """One declared divergence."""

    implementation: str
    case: str
    reason: str
    id: str


class UnusableDivergences(Exception):
    """The file cannot be read as divergences; the message says where and why."""


class _File(Struct, forbid_unknown_fields=True):
    divergence: list[Divergence] = []


Declared = Mapping[tuple[str, str], Divergence]
"""Divergences by implementation and case id."""


def shipped(implementations: Collection[str]) -> Declared:
    """What the package declares of its own implementations, for those that are among these."""
    name = "python-last"
    if name not in implementations:
        return {}
    return {
        (name, case_id): Divergence(name, case_id, divergence.port, divergence.id)
        for divergence in DIVERGENCES.values()
        for case_id in divergence.cases
    }


def mended(declared: Declared, names: Collection[str]) -> frozenset[str]:
    """The ids of the defects in whose place an implementation with one of `names` diverges."""
    return frozenset(entry.id for (name, _), entry in declared.items() if name in names)


def read_file(path: Path) -> Declared:
    """The divergences of a TOML file. Raises UnusableDivergences."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableDivergences(f"{path}: {error}") from error
    return parse(document, str(path))


def parse(document: object, where: str) -> Declared:
    """The divergences of a parsed document. Raises UnusableDivergences."""
    try:
        entries = msgspec.convert(document, _File).divergence
    except msgspec.ValidationError as error:
        raise UnusableDivergences(f"{where}: {error}") from error
    declared: dict[tuple[str, str], Divergence] = {}
    for entry in entries:
        key = entry.implementation, entry.case
        if key in declared:
            raise UnusableDivergences(f"{where}: {entry.case} is declared twice")
        if not entry.reason.strip() or not entry.id.strip():
            raise UnusableDivergences(f"{where}: {entry.case} needs a reason and an id")
        declared[key] = entry
    return declared


def stale(declared: Declared, case_ids: Iterable[str]) -> list[str]:
    """The declared case ids that no case has."""
    known = set(case_ids)
    return sorted({entry.case for entry in declared.values()} - known)


def starting_file(failures: Sequence[tuple[str, str, str, str]]) -> str:
    """A TOML file that declares `failures`: implementation, case id, what was found, defect."""
    parts = [
        "# Declared divergences. Give each a reason of your own and an id before you keep it.\n"
    ]
    for implementation, case_id, found, defect in failures:
        first_line = (found.splitlines() or [""])[0]
        parts.append(
            "\n[[divergence]]\n"
            f"implementation = {_quoted(implementation)}\n"
            f"case = {_quoted(case_id)}\n"
            f"reason = {_quoted(f'TODO: found {first_line}')}\n"
            f"id = {_quoted(defect or 'TODO')}\n"
        )
    return "".join(parts)


def _quoted(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
