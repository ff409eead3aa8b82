"""From what happened in a test to the outcome of a case, and to words for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import pytest

from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.failures import (
    BrokenPromise,
    Cause,
    MissingCapability,
    UndecidedBound,
)
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.sweep import Faults, PointResult
from pytest_reedbackup.model.symptoms import symptom
from pytest_reedbackup.model.target import Target, TimeLimits
from pytest_reedbackup.model.timing import Pairs, Rounds
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.session.watching import ending_of

MEASURED = "reedbackup_measured"
"""The user property under which a test records its figures."""
YARDSTICK = "reedbackup_yardstick"
"""The user property under which it records what they are to be read beside."""
TIMING = "reedbackup_timing"
"""The user property under which it records the calls that they are of, as JSON."""


def judge(item: pytest.Item, call: pytest.CallInfo[None]) -> Judgement:
    """Return what one phase of a case's test says of the case.

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
        return Judgement(Outcome.NOT_CHECKED, "another plugin ran nothing in its place")
    return Judgement(Outcome.PASS)


@dataclass(frozen=True)
class Judgement:
    """An outcome and its reasons, as in CaseOutcome."""

    outcome: Outcome
    detail: str = ""
    cause: Cause | None = None
    expected: str = ""
    found: str = ""
    missing: MissingCapability | None = None
    difference: Sequence[str] = ()
    notes: Sequence[str] = ()
    symptom: str = ""


def outcome_of(
    case: Case, target: Target, judgement: Judgement, settings: Settings, node_id: str
) -> CaseOutcome:
    """Return what came of `case` so far, whatever divergences are declared."""
    missing = judgement.missing
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
        detail=_as_utf8(judgement.detail),
        cause=judgement.cause,
        expected=_as_utf8(judgement.expected),
        found=_as_utf8(judgement.found),
        difference=[_as_utf8(line) for line in judgement.difference],
        notes=[_as_utf8(line) for line in judgement.notes],
        symptom=_as_utf8(judgement.symptom),
        missing=_as_utf8(missing.capability) if missing else "",
        missing_sentence=_as_utf8(missing.sentence) if missing else "",
        missing_tool=missing.tool if missing else False,
    )


def recorded(report: pytest.TestReport, name: str) -> str:
    """Return what a test recorded under the user property `name`."""
    return "; ".join(str(value) for each, value in report.user_properties if each == name)


def timing_of(report: pytest.TestReport) -> Rounds | Pairs | None:
    """Return the calls that a test has timed; None where it has timed none."""
    text = recorded(report, TIMING)
    return msgspec.json.decode(text, type=Rounds | Pairs) if text else None


CUT_OFF = Judgement(Outcome.ERROR, "the process that ran the case ended before the case did")
"""What is true of a case that began, until more is heard of it."""

SET_UP_ONLY = Judgement(Outcome.NOT_CHECKED, "its test was set up, and never called (--setup-only)")
"""What is true of a case that was torn down and did not run."""


def not_checked(reason: str) -> Judgement:
    """Return what is true of a case of which nothing was heard."""
    return Judgement(Outcome.NOT_CHECKED, reason)


def show(outcome: CaseOutcome, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
    """Make pytest's own report say what the outcome says, whoever made it say something else."""
    report.__dict__.pop("wasxfail", None)
    if outcome.outcome is Outcome.PASS:
        report.outcome, report.longrepr = "passed", None
    elif outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
        report.outcome = "failed"
        error = call.excinfo.value if call.excinfo else None
        setattr(report, _TRACED, not isinstance(error, BrokenPromise | AdapterFault))
        report.longrepr = _failure_text(outcome, report, call)
    else:
        report.outcome = "skipped"
        report.longrepr = (str(report.location[0]), report.location[1] or 0, outcome.detail)
        if outcome.outcome is Outcome.DIVERGES:
            report.wasxfail = outcome.divergence


_TRACED = "reedbackup_traced"


def shows_more(report: pytest.TestReport) -> bool:
    """Return whether a report of a failure has more than the outcome: output, or a traceback."""
    return bool(report.sections) or getattr(report, _TRACED, False)


def _cause(error: BaseException) -> BaseException:
    """Return why a test was skipped, where a fixture says so in pytest's terms."""
    cause = error.__cause__
    return cause if isinstance(cause, MissingCapability | UndecidedBound) else error


def _of_exception(error: BaseException) -> Judgement:
    if isinstance(error, BrokenPromise):
        return Judgement(
            Outcome.FAIL,
            error.what,
            cause=error.cause,
            expected=error.expected,
            found=error.found,
            difference=error.difference,
            notes=_notes(error),
            symptom=error.symptom,
        )
    if isinstance(error, MissingCapability):
        return Judgement(Outcome.SKIP, str(error), missing=error)
    if isinstance(error, UndecidedBound):
        return Judgement(Outcome.UNDECIDED, str(error))
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return not_checked(f"left out by something other than the kit: {error}")
    if isinstance(error, AdapterFault):
        fault = error.symptom
        return Judgement(Outcome.ERROR, str(error), notes=_notes(error), symptom=fault)
    words = f"{type(error).__name__}: {error}"
    return Judgement(Outcome.ERROR, words, notes=_notes(error), symptom=symptom(words))


def _notes(error: BaseException) -> list[str]:
    """Return what was added to an exception on its way, in lines."""
    return [line for note in getattr(error, "__notes__", []) for line in note.splitlines()]


def _as_utf8(text: str) -> str:
    """Return text as JSON can carry it: a file name need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def with_divergence(outcome: CaseOutcome, settings: Settings) -> CaseOutcome:
    """Return the outcome with the divergence that is declared for it, if any, applied."""
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
            cause=Cause.KEPT,
            detail="a declared divergence; remove it from the file if it is mended",
            expected=f"the divergence {words}",
            found="the promise is kept",
        )
    return outcome


def repeat(
    case: Case, target: Target, settings: Settings, broken: PointResult | None = None
) -> str:
    """Return the command that repeats just this case; of a sweep just the point `broken`."""
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
    if case.is_sweep:
        command += _of_sweep(settings, broken)
    return shlex.join(command)


def _of_sweep(settings: Settings, broken: PointResult | None) -> Iterator[str]:
    if broken is not None:
        yield f"--reedbackup-point={broken.point}"
    elif settings.faults is not Faults.QUICK:
        yield f"--reedbackup-faults={settings.faults}"
    if settings.file_system is not FileSystem.EXT4:
        yield f"--reedbackup-disk={settings.file_system}"


def _failure_text(
    outcome: CaseOutcome, report: pytest.TestReport, call: pytest.CallInfo[None]
) -> str:
    """Return a failure or an error as a person wants to read it."""
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
    lines += [f"  {line}" for line in outcome.notes]
    return "\n".join([*lines, f"  repeat     {outcome.repeat}"])


def _about_defect(outcome: CaseOutcome) -> list[str]:
    """Return what to do where an implementation does the safe thing in a defect's place."""
    if not outcome.defect or outcome.divergence:
        return []
    return [
        f"  defect     {outcome.defect}: {DEFECTS[outcome.defect]};",
        "             an implementation that does the safe thing declares this divergence"
        " (--reedbackup-divergences)",
    ]


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 13)
