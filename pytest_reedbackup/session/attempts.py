"""From the phases of a test to one outcome a case, however often and wherever it ran.

Every report of a case's test carries all that came of the test in its process up
to then: other plugins swallow reports, write reports of their own, and run tests
again; pytest-xdist has several processes, and sends what a report carries along.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.outcome import CaseOutcome, Key, Outcome, whole_case, worst_attempt
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.session.judging import (
    CUT_OFF,
    MEASURED,
    SET_UP_ONLY,
    YARDSTICK,
    Judgement,
    judge,
    outcome_of,
    recorded,
    repeat,
    timing_of,
    with_divergence,
)
from pytest_reedbackup.session.planning import Planned
from pytest_reedbackup.session.pytest_internals import parameters_of
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.session.watching import ending_of, forget

_PAYLOAD = "reedbackup"

SWEPT = pytest.StashKey[Sweep]()
"""Where a test that sweeps keeps what came of its points."""

TOOK_SECS = pytest.StashKey[float]()
"""Where a test whose function ran in another process keeps how long it took there."""

Absent = Callable[[Planned], CaseOutcome]


@dataclass
class _Attempt:
    """One time that a test ran."""

    phases: list[CaseOutcome] = field(default_factory=list)
    is_over: bool = False


_ATTEMPTS = pytest.StashKey[list[_Attempt]]()


@dataclass(frozen=True)
class Journal:
    """Keeps, in the process that runs a test, what came of it."""

    item: pytest.Item
    case: Case
    target: Target
    settings: Settings

    def add(self, report: pytest.TestReport, call: pytest.CallInfo[None]) -> CaseOutcome | None:
        """Return what a phase says of the case: None for a set-up or a tear-down that went well.

        From then on `report` carries all that came of the test.
        """
        attempt = self._attempt(call.when)
        judgement = self._judgement(attempt, call)
        outcome = None
        if judgement is not None:
            outcome = msgspec.structs.replace(
                self._outcome(judgement),
                duration_secs=self.item.stash.get(TOOK_SECS, call.duration),
                measured=recorded(report, MEASURED),
                yardstick=recorded(report, YARDSTICK),
                timing=timing_of(report),
            )
            outcome = self._with_sweep(outcome)
            attempt.phases.append(outcome)
            outcome = with_divergence(outcome, self.settings)
        setattr(report, _PAYLOAD, {**self._payload(), "phase": msgspec.to_builtins(outcome)})
        return outcome

    def _attempt(self, when: str) -> _Attempt:
        """Return the attempt of a phase: a set-up begins one, and so does a second call."""
        attempts = self.item.stash.setdefault(_ATTEMPTS, [])
        if not attempts or when == "setup" or (when == "call" and attempts[-1].is_over):
            attempts.append(_Attempt())
        return attempts[-1]

    def _judgement(self, attempt: _Attempt, call: pytest.CallInfo[None]) -> Judgement | None:
        if call.when == "setup":
            forget(self.item)
            _clear(self.item, SWEPT)
            _clear(self.item, TOOK_SECS)
        if call.when == "call":
            # A part that reports for itself (`subtests`) does so while the function runs.
            attempt.is_over = not ending_of(self.item).is_running
            return judge(self.item, call)
        if call.excinfo is not None:
            return judge(self.item, call)
        if call.when == "teardown" and not attempt.phases:
            return SET_UP_ONLY
        return None

    def _outcome(self, judgement: Judgement) -> CaseOutcome:
        node_id = self.item.nodeid
        return outcome_of(self.case, self.target, judgement, self.settings, node_id)

    def _with_sweep(self, outcome: CaseOutcome) -> CaseOutcome:
        sweep = self.item.stash.get(SWEPT, None)
        if sweep is None:
            return outcome
        command = repeat(self.case, self.target, self.settings, sweep.first_broken)
        return msgspec.structs.replace(outcome, sweep=sweep, repeat=command)

    def _payload(self) -> dict[str, Any]:
        outcomes = [
            msgspec.structs.replace(worst_attempt(attempt.phases), attempts=1, flaky=False)
            if attempt.phases
            else self._outcome(CUT_OFF)
            for attempt in self.item.stash[_ATTEMPTS]
        ]
        is_shared = "share" in parameters_of(self.item)
        return {
            "process": os.environ.get("PYTEST_XDIST_WORKER", ""),
            "parts": self.settings.shares_of(self.case) if is_shared else 1,
            "attempts": msgspec.to_builtins(outcomes),
        }


def _clear(item: pytest.Item, key: pytest.StashKey[Any]) -> None:
    if key in item.stash:
        del item.stash[key]


def phase_outcome(report: pytest.TestReport) -> CaseOutcome | None:
    """Return what a report's phase of a test says of its case; None where it says nothing."""
    payload = getattr(report, _PAYLOAD, None)
    outcome = payload and payload["phase"]
    return msgspec.convert(outcome, CaseOutcome) if outcome else None


class CollectedOutcomes:
    """All that was reported of the cases of a run, from all processes."""

    def __init__(self) -> None:
        self._attempts: dict[str, dict[str, list[CaseOutcome]]] = {}
        self._parts: dict[Key, int] = {}
        self._reasons: dict[str, str] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Add what a report carries, or the reason that it gives where it is another plugin's."""
        payload = getattr(report, _PAYLOAD, None)
        if payload is None:
            if report.failed or report.skipped:
                self._reasons[report.nodeid] = _reason(report)
            return
        attempts = msgspec.convert(payload["attempts"], list[CaseOutcome])
        self._attempts.setdefault(report.nodeid, {})[payload["process"]] = attempts
        self._parts[attempts[-1].key] = payload["parts"]

    def foreign_reason(self, node_id: str) -> str:
        """Return why a test failed or was skipped, by another plugin's report; or nothing."""
        return self._reasons.get(node_id, "")

    def outcomes(self, planned: Iterable[Planned], absent: Absent) -> list[CaseOutcome]:
        """Return one outcome for each case that ran or was to run, before declared divergences.

        `absent` makes that of a case of which nothing came.
        """
        parts = self._parts_by_case()
        for one in planned:
            by_node = parts.setdefault(one.key, {})
            if one.node_id not in by_node and (one.node_id or not by_node):
                by_node[one.node_id] = absent(one)
        return [
            whole_case([*by_node.values(), *self._lost_parts(key, by_node)])
            for key, by_node in parts.items()
        ]

    def _parts_by_case(self) -> dict[Key, dict[str, CaseOutcome]]:
        """Return what the tests of each case came to, by node id."""
        parts: dict[Key, dict[str, CaseOutcome]] = {}
        for node_id, by_process in self._attempts.items():
            test = worst_attempt([one for attempts in by_process.values() for one in attempts])
            parts.setdefault(test.key, {})[node_id] = test
        return parts

    def _lost_parts(self, key: Key, by_node: Mapping[str, CaseOutcome]) -> Iterator[CaseOutcome]:
        """Yield an outcome for a case of which some shares ran and others did not."""
        expected = self._parts.get(key, 1)
        if len(by_node) < expected:
            yield msgspec.structs.replace(
                next(iter(by_node.values())),
                outcome=Outcome.NOT_CHECKED,
                detail=f"only {len(by_node)} of its {expected} shares ran",
            )


def _reason(report: pytest.TestReport) -> str:
    """Return why a test failed or was skipped, as the report has it."""
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash is not None else str(report.longrepr)
