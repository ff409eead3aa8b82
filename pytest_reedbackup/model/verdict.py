"""What the outcomes of the cases say of an implementation (contracts, "Verdict").

This is the one place where a verdict is made. Terminal, JSON, JUnit and the exit
status say what it says, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from pytest_reedbackup.contracts import OPTIONAL, OPTIONAL_CAPABILITIES
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from reedbase_backup.adapter.protocol import Contract


class Verdict(StrEnum):
    """What an implementation is worth under a contract."""

    CONFORMS = "conforms"
    DIVERGES = "conforms with declared divergences"
    DOES_NOT_CONFORM = "does not conform"
    UNDECIDED = "undecided"


_WORST_FIRST = (
    Verdict.DOES_NOT_CONFORM,
    Verdict.UNDECIDED,
    Verdict.DIVERGES,
    Verdict.CONFORMS,
)
_AS_FAR_AS_TRIED = {
    Verdict.CONFORMS: "conforms as far as it was tried",
    Verdict.DIVERGES: "conforms with declared divergences, as far as it was tried",
}


class Result(Struct, frozen=True):
    """All outcomes of one implementation under one contract, one a case."""

    implementation: str
    contract: Contract
    outcomes: Sequence[CaseOutcome]
    left_out: int = 0
    """Cases of the suite for this contract that the run was told to leave out."""

    @property
    def by_rule(self) -> Mapping[str, Sequence[CaseOutcome]]:
        """The cases of each rule, in the order of their appearance."""
        grouped: dict[str, list[CaseOutcome]] = {}
        for outcome in self.outcomes:
            grouped.setdefault(outcome.rule, []).append(outcome)
        return grouped

    @property
    def counts(self) -> Counter[Outcome]:
        """How many cases ended in each way."""
        return Counter(outcome.outcome for outcome in self.outcomes)

    @property
    def verdict(self) -> Verdict:
        """The kind of the verdict; a skip is never a pass, nor is a case that did not run."""
        counts = self.counts
        if counts[Outcome.FAIL]:
            return Verdict.DOES_NOT_CONFORM
        if self._is_unreliable or counts[Outcome.UNDECIDED]:
            return Verdict.UNDECIDED
        return Verdict.DIVERGES if counts[Outcome.DIVERGES] else Verdict.CONFORMS

    @property
    def statement(self) -> str:
        """The verdict in full: on a part of the rules it never reads as on the whole."""
        if self.left_out or self.untried_rules:
            return _AS_FAR_AS_TRIED.get(self.verdict, self.verdict.value)
        return self.verdict.value

    @property
    def exit_status(self) -> int:
        """0 or 1; a bound that could not be decided is no failure by itself."""
        return int(self.verdict is Verdict.DOES_NOT_CONFORM or self._is_unreliable)

    @property
    def checked_rules(self) -> set[str]:
        """Rules of which what is basic ran and said something of the implementation."""
        return {
            rule
            for rule, cases in self.by_rule.items()
            if all(case.outcome.is_checked for case in _basic(cases))
        }

    @property
    def unchecked_rules(self) -> Mapping[str, CaseOutcome]:
        """Rules that could not be checked, with the case that says why: the verdict is undecided.

        This machine lacks a tool, or something other than the kit got in the way.
        """
        return {rule: case for rule, case in self._unheld_rules() if _is_hindered(case)}

    @property
    def untried_rules(self) -> Mapping[str, CaseOutcome]:
        """Rules that nothing of its kind can be held to, with the case that says why.

        No recording can be held to times, for one. The verdict is then limited.
        """
        return {
            rule: case
            for rule, case in self._unheld_rules()
            if not _is_hindered(case) and not _is_optional(case)
        }

    @property
    def _is_unreliable(self) -> bool:
        """Whether it is undecided for a graver cause than a bound on a noisy machine."""
        counts = self.counts
        return bool(
            counts[Outcome.ERROR]
            or counts[Outcome.NOT_CHECKED]
            or self.unchecked_rules
            or not any(outcome.is_checked for outcome in counts)
        )

    def _unheld_rules(self) -> Iterator[tuple[str, CaseOutcome]]:
        """Each rule of which something basic did not run, with the gravest of those cases."""
        for rule, cases in self.by_rule.items():
            if left := [case for case in _basic(cases) if case.outcome in _UNHELD]:
                yield rule, max(left, key=lambda case: (_is_hindered(case), not _is_optional(case)))


_UNHELD = (Outcome.SKIP, Outcome.NOT_CHECKED)


def _basic(cases: Sequence[CaseOutcome]) -> Sequence[CaseOutcome]:
    """The cases without which their rule is not checked.

    Where none is declared basic, all that ran, or all of them where none ran.
    """
    declared = [case for case in cases if case.basic]
    return declared or [case for case in cases if case.outcome not in _UNHELD] or cases


def _is_hindered(case: CaseOutcome) -> bool:
    return case.outcome is Outcome.NOT_CHECKED or case.missing_tool


def _is_optional(case: CaseOutcome) -> bool:
    return case.rule in OPTIONAL.get(case.contract, ()) or case.missing in OPTIONAL_CAPABILITIES


def results(
    outcomes: Iterable[CaseOutcome], left_out: Mapping[Contract, int] | None = None
) -> list[Result]:
    """The outcomes by implementation and contract, in the order of their appearance.

    `left_out`: how many cases of the suite the run was told to leave out, by contract.
    """
    grouped: dict[tuple[str, Contract], list[CaseOutcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.implementation, outcome.contract), []).append(outcome)
    return [Result(*key, group, (left_out or {}).get(key[1], 0)) for key, group in grouped.items()]


def worst(results: Iterable[Result]) -> Result | None:
    """The first of those with the worst verdict; None where there is no result."""
    return min(results, key=lambda result: _WORST_FIRST.index(result.verdict), default=None)
