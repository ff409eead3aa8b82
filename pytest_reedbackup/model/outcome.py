"""What came of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct

from pytest_reedbackup.model.case import Kind
from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.sweep import Sweep, whole_sweep
from pytest_reedbackup.model.timing import Pairs, Rounds
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

    @property
    def rank(self) -> int:
        """Its place among them all, the worst first."""
        return _WORST_FIRST.index(self)

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """Return what the outcomes of a case's attempts make of the case."""
        return min(outcomes, key=_WORST_FIRST.index)

    @classmethod
    def of_rule(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """Return what the outcomes of a rule's cases make of it: one kept outweighs any skipped."""
        of_cases = list(outcomes)
        return cls.worst([each for each in of_cases if each is not Outcome.SKIP] or of_cases)


_WORST_FIRST = (
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
    cause: Cause | None = None
    """In which way the promise was broken, where it was."""
    expected: str = ""
    found: str = ""
    difference: list[str] = []
    """Where both are lists or records: what is missing (`-`) and what is too much (`+`)."""
    notes: list[str] = []
    """What else is known of a failure, in lines: the history that led to it, for one."""
    symptom: str = ""
    """What a failure has in common with others of the same cause (`grouping`)."""
    measured: str = ""
    """Figures that a case of a bound took, whatever it made of them."""
    yardstick: str = ""
    """What they are to be read beside: what this machine takes for a fixed job, for one."""
    timing: Rounds | Pairs | None = None
    """The calls that the figures are of, where a bound is held against them."""
    sweep: Sweep | None = None
    """The points that were visited, of a case that is a sweep."""
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

    @property
    def variant(self) -> str:
        """What the id has beyond its rule; empty for the case with the rule's own id."""
        return self.case_id.removeprefix(f"{self.contract}/{self.rule}").removeprefix("/")

    @property
    def figures(self) -> str:
        """What was measured, with the yardstick where there is one."""
        return f"{self.measured} ({self.yardstick})" if self.yardstick else self.measured


def worst_attempt(attempts: Sequence[CaseOutcome]) -> CaseOutcome:
    """Return the worst of a test's attempts, which says whether the test was flaky."""
    worst = Outcome.worst(attempt.outcome for attempt in attempts)
    decisive = next(attempt for attempt in attempts if attempt.outcome is worst)
    return msgspec.structs.replace(
        decisive,
        attempts=len(attempts),
        flaky=len({attempt.outcome for attempt in attempts}) > 1,
        duration_secs=sum(attempt.duration_secs for attempt in attempts),
    )


def whole_case(parts: Sequence[CaseOutcome]) -> CaseOutcome:
    """Return the outcome of a case that several tests share: as the worst part came out.

    A part of a sweep whose few points the call did not come to decides nothing where others did.
    """
    sweep = whole_sweep(part.sweep for part in parts if part.sweep)
    is_reached = sweep is not None and sweep.visited > 0
    worst = Outcome.worst(
        part.outcome
        for part in parts
        if not (is_reached and part.sweep and part.outcome is Outcome.SKIP)
    )
    decisive = next(part for part in parts if part.outcome is worst)
    return msgspec.structs.replace(
        decisive,
        attempts=max(part.attempts for part in parts),
        flaky=any(part.flaky for part in parts),
        duration_secs=sum(part.duration_secs for part in parts),
        measured="; ".join(part.measured for part in parts if part.measured),
        yardstick="; ".join(dict.fromkeys(part.yardstick for part in parts if part.yardstick)),
        sweep=sweep,
    )
