"""The matrix: under each contract a row a rule, a column an implementation."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result


@dataclass(frozen=True)
class Row:
    """A rule, and what each implementation makes of it."""

    rule: str
    says: str
    """Empty for a rule of a user's own."""
    outcomes: Sequence[Outcome | None]
    """One a column; None where it has no case of the rule."""


@dataclass(frozen=True)
class Matrix:
    """The rules of one contract that there are cases of, in its order."""

    contract: str
    columns: Sequence[str]
    numbers: Sequence[int]
    """Of the columns' results, among all."""
    rows: Sequence[Row]


def matrices(results: Sequence[Result]) -> Iterator[Matrix]:
    """Yield a matrix for each contract, in the order in which they were held against it."""
    for contract in dict.fromkeys(result.contract for result in results):
        yield _matrix(contract, results)


def _matrix(contract: str, all_results: Sequence[Result]) -> Matrix:
    numbers = [n for n, result in enumerate(all_results) if result.contract == contract]
    results = [all_results[number] for number in numbers]
    sides = [
        {rule: Outcome.of_rule(case.outcome for case in cases) for rule, cases in by_rule.items()}
        for by_rule in (result.by_rule for result in results)
    ]
    says = RULES.get(contract, {})
    checked = {rule for side in sides for rule in side}
    known = [rule for rule in says if rule in checked]
    return Matrix(
        contract=contract,
        columns=_column_names([result.implementation for result in results]),
        numbers=numbers,
        rows=[
            Row(rule, says.get(rule, ""), [side.get(rule) for side in sides])
            for rule in (*known, *sorted(checked.difference(known)))
        ],
    )


def _column_names(options: Sequence[str]) -> Sequence[str]:
    """Return names that differ: the programs' without their folders, where these differ."""
    short = [_without_folder(option) for option in options]
    return short if len(set(short)) == len(set(options)) else options


def _without_folder(option: str) -> str:
    try:
        program, *arguments = shlex.split(option)
    except ValueError:  # of a report that is read: no command line, but what names it
        return option
    return shlex.join([PurePath(program).name, *arguments])
