"""The matrix: under each contract a row a rule, a column an implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.words.names import short_names


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
        columns=short_names([result.implementation for result in results]),
        numbers=numbers,
        rows=[
            Row(rule, says.get(rule, ""), [side.get(rule) for side in sides])
            for rule in (*known, *sorted(checked.difference(known)))
        ],
    )
