"""From what happened in a test to the outcome of a case, and to words for it."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.cases import Case
from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.divergences import Divergence
from pytest_reedbackup.failures import BrokenPromise, MissingCapability, UndecidedBound
from pytest_reedbackup.implementations.faults import AdapterFault
from pytest_reedbackup.implementations.under_test import TimeLimits
from pytest_reedbackup.outcomes import CaseOutcome, Outcome
from pytest_reedbackup.pairings import Pairing
from pytest_reedbackup.settings import Settings

MEASURED = "reedbackup_measured"
"""The user property under which a test records its figures."""


def outcome_of(
    case: Case,
    pairing: Pairing,
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    settings: Settings,
) -> CaseOutcome:
    """The outcome of `case`, declared divergences applied."""
    reason = _reason(call)
    outcome = CaseOutcome(
        case_id=case.id,
        rule=case.rule,
        promise=case.promise,
        implementation=pairing.option,
        contract=pairing.contract,
        outcome=_ended(report, reason),
        node_id=report.nodeid,
        repeat=repeat(case, pairing, settings),
        duration_secs=report.duration,
        defect=case.defect,
        measured="; ".join(
            str(value) for name, value in report.user_properties if name == MEASURED
        ),
        **{name: _as_utf8(value) for name, value in _told(reason).items()},
    )
    declared = settings.declared.of(pairing.names, case.id)
    return outcome if declared is None else _with_divergence(outcome, declared)


def cut_off(
    case: Case,
    pairing: Pairing,
    report: pytest.TestReport,
    call: pytest.CallInfo[None],
    settings: Settings,
) -> CaseOutcome:
    """The outcome of a case that began and of which nothing more was heard."""
    return msgspec.structs.replace(
        outcome_of(case, pairing, report, call, settings),
        outcome=Outcome.ERROR,
        detail="the process that ran the case ended before the case did",
        expected="",
        found="",
        divergence="",
    )


def show(outcome: CaseOutcome, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Makes pytest's own report say what the outcome says."""
    if outcome.outcome is Outcome.DIVERGES:
        report.outcome = "skipped"
        report.wasxfail = outcome.divergence
    elif outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
        report.outcome = "failed"
        report.longrepr = _words(outcome, report, call)


def _reason(call: pytest.CallInfo[None]) -> BaseException | None:
    """What ended the test; for a skip, why."""
    if call.excinfo is None:
        return None
    error = call.excinfo.value
    cause = error.__cause__
    return cause if isinstance(cause, MissingCapability | UndecidedBound) else error


def _ended(report: pytest.TestReport, reason: BaseException | None) -> Outcome:
    if report.passed:
        return Outcome.PASS
    if report.skipped:
        return Outcome.UNDECIDED if isinstance(reason, UndecidedBound) else Outcome.SKIP
    return Outcome.FAIL if isinstance(reason, BrokenPromise) else Outcome.ERROR


def _told(reason: BaseException | None) -> dict[str, Any]:
    if isinstance(reason, BrokenPromise):
        return {"detail": reason.what, "expected": reason.expected, "found": reason.found}
    if isinstance(reason, MissingCapability):
        return {
            "detail": str(reason),
            "missing": reason.capability,
            "missing_tool": reason.tool,
        }
    if isinstance(reason, UndecidedBound | AdapterFault):
        return {"detail": str(reason)}
    return {"detail": f"{type(reason).__name__}: {reason}"} if reason else {}


def _as_utf8(value: Any) -> Any:
    """Text as JSON can carry it: a file name need not be UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _with_divergence(outcome: CaseOutcome, declared: Divergence) -> CaseOutcome:
    words = f"{declared.id}: {declared.reason}"
    if outcome.outcome is Outcome.FAIL:
        return msgspec.structs.replace(outcome, outcome=Outcome.DIVERGES, divergence=words)
    if outcome.outcome is Outcome.PASS:
        return msgspec.structs.replace(
            outcome,
            outcome=Outcome.FAIL,
            divergence=words,
            detail="a declared divergence; remove it from the file if it is mended",
            expected=f"the divergence {words}",
            found="the promise is kept",
        )
    return outcome


def repeat(case: Case, pairing: Pairing, settings: Settings) -> str:
    """The command that repeats just this case."""
    command = [
        "pytest",
        *settings.paths,
        f"--reedbackup-impl={pairing.option}",
        f"--reedbackup-case={case.id}",
    ]
    if pairing.hello.contracts != [pairing.contract]:
        command.append(f"--reedbackup-contract={pairing.contract}")
    if settings.baseline is not None:
        command.append(f"--reedbackup-baseline={settings.baseline.option}")
    if settings.declared_in is not None:
        command.append(f"--reedbackup-divergences={settings.declared_in}")
    if pairing.limits.call != TimeLimits().call:
        command.append(f"--reedbackup-timeout={pairing.limits.call:g}")
    if case.is_fuzzing:
        command += [
            f"--reedbackup-seed={settings.seed}",
            f"--reedbackup-examples={settings.examples}",
        ]
    return shlex.join(command)


def _words(outcome: CaseOutcome, report: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    """A failure or an error as a person wants to read it."""
    error = call.excinfo.value if call.excinfo else None
    lines = [f"{outcome.case_id}: {outcome.promise}"]
    if outcome.outcome is Outcome.FAIL:
        lines += [
            f"  looked at  {outcome.detail}",
            f"  expected   {_indented(outcome.expected)}",
            f"  found      {_indented(outcome.found)}",
            *_about_defect(outcome),
        ]
    elif isinstance(error, AdapterFault):
        lines += [
            "  not the implementation's broken promise, but an adapter that failed:",
            f"  {outcome.detail}",
        ]
    else:
        lines += [
            "  not the implementation's broken promise, but the harness's or the machine's:",
            report.longreprtext,
        ]
    for note in getattr(error, "__notes__", []):
        lines += [f"  {line}" for line in note.splitlines()]
    return "\n".join([*lines, f"  repeat     {outcome.repeat}"])


def _about_defect(outcome: CaseOutcome) -> list[str]:
    """What to do where an implementation does the safe thing, and the case is about a defect."""
    if not outcome.defect or outcome.divergence:
        return []
    return [
        f"  defect     {outcome.defect}: {DEFECTS[outcome.defect]};",
        "             an implementation that does the safe thing declares this divergence"
        " (--reedbackup-divergences)",
    ]


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 13)
