"""The summary in the terminal: verdicts first, then what was broken, then the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Result, Verdict
from pytest_reedbackup.pairings import Pairing
from pytest_reedbackup.report.marks import COUNTED, MARKS
from pytest_reedbackup.report.matrix import matrices
from pytest_reedbackup.tapes.file import describe

_VERDICT_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.DIVERGES: "bold green",
    Verdict.DOES_NOT_CONFORM: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}
_ALWAYS_COUNTED = (Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.SKIP)


def render(
    results: Sequence[Result], pairings: Sequence[Pairing], *, width: int, colour: bool
) -> str:
    """The whole summary as text, with terminal colours if `colour`."""
    target = StringIO()
    console = Console(
        file=target,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        soft_wrap=True,
    )
    by_key = {(pairing.option, pairing.contract): pairing for pairing in pairings}
    for result in results:
        _print_verdict(console, result, by_key[result.implementation, result.contract])
    for result in results:
        _print_details(console, result, by_key[result.implementation, result.contract], results)
    if len(results) > 1:
        for matrix in matrices(results):
            console.print()
            console.print(matrix, soft_wrap=False)
    return target.getvalue()


def _print_verdict(console: Console, result: Result, pairing: Pairing) -> None:
    counts, hello = result.counts, pairing.hello
    counted = [
        f"{counts[outcome]} {word}"
        for outcome, word in COUNTED
        if counts[outcome] or outcome in _ALWAYS_COUNTED
    ]
    console.print(
        Text.assemble(
            (result.implementation, "bold"),
            f" under contract {result.contract}{_translated(pairing)}: ",
            (result.verdict.value, _VERDICT_STYLES[result.verdict]),
            f"{_limited(result)} — promises: {', '.join(counted)}",
        )
    )
    console.print(
        Text(
            f"  {hello.name} {hello.version}, {hello.language}; clock: {pairing.clock}"
            f"{_replayed(pairing)}",
            style="dim",
        )
    )
    for rule in result.unchecked_rules:
        console.print(f"  not checked, for this machine lacks a tool: {rule}", style="yellow")


def _replayed(pairing: Pairing) -> str:
    """That it is no implementation that ran, and from when."""
    return f"; {describe(pairing.recording.header)}" if pairing.recording else ""


def _limited(result: Result) -> str:
    """What a verdict on a part of the rules is worth."""
    rules = RULES.get(result.contract, {})
    tried = len(result.tried_rules & rules.keys())
    return f" as far as it was tried ({tried} of {len(rules)} rules)" if tried < len(rules) else ""


def _translated(pairing: Pairing) -> str:
    return f", translated from {pairing.translated_from}" if pairing.translated_from else ""


def _print_details(
    console: Console, result: Result, pairing: Pairing, results: Sequence[Result]
) -> None:
    """What was measured, broken, and left out; under a heading where there are several results."""
    measured = [outcome for outcome in result.outcomes if outcome.measured]
    # What a translation breaks is shown rule by rule, in the drift report.
    told = () if pairing.translated_from else result.outcomes
    if len(results) > 1 and (measured or any(o.outcome is not Outcome.PASS for o in told)):
        console.print()
        heading = f"{result.implementation}, contract {result.contract}:"
        console.print(Text(heading, style="bold"))
    for outcome in measured:
        console.print(Text(f"  {outcome.case_id}: {outcome.measured}"))
    for outcome in told:
        if outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
            _print_broken(console, outcome)
    _print_by_reason(console, told)


def _print_broken(console: Console, outcome: CaseOutcome) -> None:
    heading = f" {outcome.case_id} — {outcome.promise}"
    console.print()
    console.print(Text.assemble(MARKS[outcome.outcome], (heading, "bold")))
    for line in _told(outcome):
        console.print(Text(f"  {line}"))
    console.print(Text(f"  repeat   {outcome.repeat}", style="dim"))


def _print_by_reason(console: Console, outcomes: Sequence[CaseOutcome]) -> None:
    """Cases that were skipped, undecided or diverged, those of one reason together."""
    cases: dict[tuple[Outcome, str], list[str]] = {}
    for outcome in outcomes:
        if outcome.outcome in (Outcome.SKIP, Outcome.UNDECIDED, Outcome.DIVERGES):
            reason = outcome.divergence or outcome.detail
            cases.setdefault((outcome.outcome, reason), []).append(outcome.case_id)
    for (kind, reason), case_ids in cases.items():
        first, *more = case_ids
        about = f"{len(case_ids)} cases" if more else first
        console.print(Text.assemble(MARKS[kind], f" {about}: {reason}"))
        for case_id in case_ids if more else ():
            console.print(Text(f"  {case_id}"))


def _told(outcome: CaseOutcome) -> list[str]:
    if outcome.outcome is Outcome.ERROR:
        return [_first_line(outcome.detail)]
    return [
        f"at       {_first_line(outcome.detail)}",
        f"expected {_first_line(outcome.expected)}",
        f"found    {_first_line(outcome.found)}",
    ]


def _first_line(text: str) -> str:
    first, *more = text.splitlines() or [""]
    return f"{first} (and {len(more)} more lines above)" if more else first
