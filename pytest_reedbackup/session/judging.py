"""From what happened in a test to the outcome of a case, and to words for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability, UndecidedBound
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.target import Target, TimeLimits
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.session.watching import ending_of

MEASURED = "reedbackup_measured"
"""The user property under which a test records its figures."""


def judged(item: pytest.Item, call: pytest.CallInfo[None]) -> Judgement:
    """What one phase of a case's test says of the case.

    Only what the kit itself raises is a broken promise, a skip or undecided.
    """
    raised = _cause(call.excinfo.value) if call.excinfo else None
    if call.when != "call":
        return _of_exception(raised) if raised else Judgement(Outcome.PASS)
    ending = ending_of(item)
    if isinstance(ending.error, BrokenPromise | MissingCapability | UndecidedBound):
        return _of_exception(ending.error)
    if error := raised or ending.error:
        return _of_exception(error)
    if not ending.ran:
        return Judgement(Outcome.NOT_CHECKED, {"detail": "another plugin ran nothing in its place"})
    return Judgement(Outcome.PASS)


@dataclass(frozen=True)
class Judgement:
    """An outcome, and what a CaseOutcome says of it."""

    outcome: Outcome
    words: Mapping[str, Any] = field(default_factory=dict)


def outcome_of(
    case: Case, target: Target, judgement: Judgement, settings: Settings, node_id: str
) -> CaseOutcome:
    """What came of `case` so far, whatever divergences are declared."""
    return CaseOutcome(
        case_id=case.id,
        rule=case.rule,
        promise=case.promise,
        implementation=target.option,
        contract=target.contract,
        outcome=judgement.outcome,
        node_id=node_id,
        repeat=repeat(case, target, settings),
        duration_secs=0.0,
        kind=case.kind,
        basic=case.is_basic,
        defect=case.defect,
        **{name: _as_utf8(value) for name, value in judgement.words.items()},
    )


def measured(report: pytest.TestReport) -> str:
    """The figures that a test recorded."""
    return "; ".join(str(value) for name, value in report.user_properties if name == MEASURED)


CUT_OFF = Judgement(
    Outcome.ERROR, {"detail": "the process that ran the case ended before the case did"}
)
"""What is true of a case that began, until more is heard of it."""

SET_UP_ONLY = Judgement(
    Outcome.NOT_CHECKED, {"detail": "its test was set up, and never called (--setup-only)"}
)
"""What is true of a case that was torn down and did not run."""


def not_checked(reason: str) -> Judgement:
    """What is true of a case of which nothing was heard."""
    return Judgement(Outcome.NOT_CHECKED, {"detail": reason})


def show(outcome: CaseOutcome, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Makes pytest's own report say what the outcome says, whoever made it say something else."""
    report.__dict__.pop("wasxfail", None)
    if outcome.outcome is Outcome.PASS:
        report.outcome, report.longrepr = "passed", None
    elif outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
        report.outcome = "failed"
        report.longrepr = _words(outcome, report, call)
    else:
        report.outcome = "skipped"
        report.longrepr = (str(report.location[0]), report.location[1] or 0, outcome.detail)
        if outcome.outcome is Outcome.DIVERGES:
            report.wasxfail = outcome.divergence


def _cause(error: BaseException) -> BaseException:
    """For a skip, why: a fixture that lacks something says so in pytest's terms."""
    cause = error.__cause__
    return cause if isinstance(cause, MissingCapability | UndecidedBound) else error


def _of_exception(error: BaseException) -> Judgement:
    if isinstance(error, BrokenPromise):
        told = {"detail": error.what, "expected": error.expected, "found": error.found}
        return Judgement(Outcome.FAIL, told)
    if isinstance(error, MissingCapability):
        words = {
            "detail": str(error),
            "missing": error.capability,
            "missing_sentence": error.sentence,
            "missing_tool": error.tool,
        }
        return Judgement(Outcome.SKIP, words)
    if isinstance(error, UndecidedBound):
        return Judgement(Outcome.UNDECIDED, {"detail": str(error)})
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return not_checked(f"left out by something other than the kit: {error}")
    if isinstance(error, AdapterFault):
        return Judgement(Outcome.ERROR, {"detail": str(error)})
    return Judgement(Outcome.ERROR, {"detail": f"{type(error).__name__}: {error}"})


def _as_utf8(value: Any) -> Any:
    """Text as JSON can carry it: a file name need not be UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def with_divergence(outcome: CaseOutcome, settings: Settings) -> CaseOutcome:
    """The outcome with the divergence that is declared for it, if any, applied."""
    target = settings.target(outcome.implementation, outcome.contract)
    declared = settings.declared.of(target.names, outcome.case_id)
    return outcome if declared is None else _diverging(outcome, declared)


def _diverging(outcome: CaseOutcome, declared: Divergence) -> CaseOutcome:
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


def repeat(case: Case, target: Target, settings: Settings) -> str:
    """The command that repeats just this case."""
    command = [
        "pytest",
        *settings.paths,
        f"--reedbackup-impl={target.option}",
        f"--reedbackup-case={case.id}",
    ]
    if target.hello.contracts != [target.contract]:
        command.append(f"--reedbackup-contract={target.contract}")
    if settings.baseline is not None:
        command.append(f"--reedbackup-baseline={settings.baseline.option}")
    if settings.declared_in is not None:
        command.append(f"--reedbackup-divergences={settings.declared_in}")
    if target.limits.call != TimeLimits().call:
        command.append(f"--reedbackup-timeout={target.limits.call:g}")
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
