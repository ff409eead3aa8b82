"""What came of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct

from pytest_reedbackup.model.case import Kind
from reedbase_backup.adapter.protocol import Contract

Key = tuple[str, Contract, str]
"""What there is one outcome of: implementation, contract and case id."""


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
    """A capability or a tool is missing: the kit itself left the case out."""
    UNDECIDED = "undecided"
    """A bound that the measurements could not decide."""
    NOT_CHECKED = "not checked"
    """Anything but the kit left the case out, cut it off, or ran something in its place."""

    @property
    def is_checked(self) -> bool:
        """Whether the case ran and said something of the implementation."""
        return self not in (Outcome.SKIP, Outcome.ERROR, Outcome.NOT_CHECKED)

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """What the outcomes of a case's attempts make of the case."""
        return min(outcomes, key=_SEVERITY.index)

    @classmethod
    def of_rule(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """What the outcomes of a rule's cases make of the rule: one kept outweighs any skipped."""
        found = list(outcomes)
        return cls.worst([outcome for outcome in found if outcome is not Outcome.SKIP] or found)


_SEVERITY = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.NOT_CHECKED,
    Outcome.UNDECIDED,
    Outcome.DIVERGES,
    Outcome.SKIP,
    Outcome.PASS,
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
    """What pytest calls the test; empty where it was not even collected."""
    repeat: str
    """The command that repeats just this case."""
    duration_secs: float
    kind: Kind = Kind.PROMISE
    basic: bool = False
    """Whether the rule is not checked without this case."""
    attempts: int = 1
    """How often the case ran, where something ran it again; the worst attempt counts."""
    flaky: bool = False
    """Whether the attempts came out differently."""
    detail: str = ""
    """What exactly was looked at (fail), what happened (error), what is missing (skip), what left
    the case out (not checked)."""
    expected: str = ""
    found: str = ""
    measured: str = ""
    """Figures that a case of a bound took, whatever it made of them."""
    missing: str = ""
    """The capability that a skipped case needs."""
    missing_sentence: str = ""
    """Why it is not there."""
    missing_tool: bool = False
    """Whether it is this machine that lacks it."""
    divergence: str = ""
    """The id and the reason of the declared divergence."""
    defect: str = ""
    """The defect of the baseline that the promise states (contract `last`)."""

    @property
    def key(self) -> Key:
        """Whose outcome this is."""
        return self.implementation, self.contract, self.case_id


def worst_attempt(attempts: Sequence[CaseOutcome]) -> CaseOutcome:
    """One test that ran several times: its worst attempt, which says that it was flaky."""
    worst = Outcome.worst(attempt.outcome for attempt in attempts)
    decisive = next(attempt for attempt in attempts if attempt.outcome is worst)
    return msgspec.structs.replace(
        decisive,
        attempts=len(attempts),
        flaky=len({attempt.outcome for attempt in attempts}) > 1,
        duration_secs=sum(attempt.duration_secs for attempt in attempts),
    )


def whole_case(parts: Sequence[CaseOutcome]) -> CaseOutcome:
    """A case that several tests share, each of them another part: as the worst part came out."""
    worst = Outcome.worst(part.outcome for part in parts)
    decisive = next(part for part in parts if part.outcome is worst)
    return msgspec.structs.replace(
        decisive,
        attempts=max(part.attempts for part in parts),
        flaky=any(part.flaky for part in parts),
        duration_secs=sum(part.duration_secs for part in parts),
        measured="; ".join(part.measured for part in parts if part.measured),
    )
