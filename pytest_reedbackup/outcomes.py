"""What came of a case, and what the cases together say of an implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from reedbase_backup.protocol import Contract


class Outcome(StrEnum):
    """How a case ended."""

    PASS = "pass"
    FAIL = "fail"
    """The implementation broke the promise."""
    DIVERGES = "diverges"
    """It broke the promise in a way that is declared."""
    ERROR = "error"
    """The harness, the adapter or the machine failed: never the implementation's fault."""
    SKIP = "skip"
    """A capability or a tool is missing."""
    UNDECIDED = "undecided"
    """A bound that the measurements could not decide."""

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """What the outcomes of a rule's cases make of the rule."""
        return min(outcomes, key=_SEVERITY.index)


_SEVERITY = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.UNDECIDED,
    Outcome.DIVERGES,
    Outcome.PASS,
    Outcome.SKIP,
)


class CaseOutcome(Struct, frozen=True, kw_only=True):
    """One case held against one implementation."""

    case_id: str
    rule: str
    promise: str
    implementation: str
    contract: Contract
    outcome: Outcome
    node_id: str
    repeat: str
    """The command that repeats just this case."""
    duration_secs: float
    detail: str = ""
    """What exactly was looked at (fail), what happened (error), what is missing (skip)."""
    expected: str = ""
    found: str = ""
    measured: str = ""
    """Figures that a case of a bound took, whatever it made of them."""
    missing: str = ""
    """The capability that a skipped case needs."""
    missing_tool: bool = False
    """Whether it is this machine that lacks it."""
    divergence: str = ""
    """The id and the reason of the declared divergence."""
    defect: str = ""
    """The defect of the baseline that the promise states (contract `last`)."""


class Verdict(StrEnum):
    """What an implementation is worth under a contract (contracts, "Verdict")."""

    CONFORMS = "conforms"
    DIVERGES = "conforms with declared divergences"
    DOES_NOT_CONFORM = "does not conform"
    UNDECIDED = "undecided"


class Result(Struct, frozen=True):
    """All outcomes of one implementation under one contract."""

    implementation: str
    contract: Contract
    outcomes: Sequence[CaseOutcome]

    @property
    def counts(self) -> Counter[Outcome]:
        """How many cases ended in each way."""
        return Counter(outcome.outcome for outcome in self.outcomes)

    @property
    def verdict(self) -> Verdict:
        """In words; a skip is never a pass."""
        counts = self.counts
        if counts[Outcome.FAIL]:
            return Verdict.DOES_NOT_CONFORM
        if self.is_unreliable or counts[Outcome.UNDECIDED]:
            return Verdict.UNDECIDED
        return Verdict.DIVERGES if counts[Outcome.DIVERGES] else Verdict.CONFORMS

    @property
    def is_unreliable(self) -> bool:
        """Whether it is undecided for a graver cause than a bound on a noisy machine."""
        counts = self.counts
        return bool(counts[Outcome.ERROR] or self.unchecked_rules or not counts[Outcome.PASS])

    @property
    def tried_rules(self) -> set[str]:
        """Rules of which a case began; all of them, unless the run was told to leave some out."""
        return {outcome.rule for outcome in self.outcomes}

    @property
    def unchecked_rules(self) -> list[str]:
        """Rules of which no case could run because the machine lacks a tool."""
        checked = {o.rule for o in self.outcomes if o.outcome is not Outcome.SKIP}
        lacking = {o.rule for o in self.outcomes if o.missing_tool}
        return sorted(lacking - checked)


def results(outcomes: Iterable[CaseOutcome]) -> list[Result]:
    """The outcomes by implementation and contract, in the order of their appearance."""
    grouped: dict[tuple[str, Contract], list[CaseOutcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.implementation, outcome.contract), []).append(outcome)
    return [Result(*key, group) for key, group in grouped.items()]
