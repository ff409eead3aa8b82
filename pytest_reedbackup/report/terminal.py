"""The summary in the terminal: verdicts first, then what was broken, then the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Result, Verdict
from pytest_reedbackup.settings import Pairing
from pytest_reedbackup.tapes.file import describe

_VERDICT_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.DIVERGES: "bold green",
    Verdict.DOES_NOT_CONFORM: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}
MARKS = {
    Outcome.PASS: ("kept", "green"),
    Outcome.FAIL: ("BROKEN", "bold red"),
    Outcome.DIVERGES: ("diverges", "magenta"),
    Outcome.ERROR: ("error", "yellow"),
    Outcome.SKIP: ("skipped", "cyan"),
    Outcome.UNDECIDED: ("undecided", "yellow"),
}
# What each kind of outcome is called in the first line, with its count.
COUNTED = (
    (Outcome.PASS, "kept"),
    (Outcome.FAIL, "broken"),
    (Outcome.DIVERGES, "diverging as declared"),
    (Outcome.UNDECIDED, "undecided"),
    (Outcome.ERROR, "errors"),
    (Outcome.SKIP, "skipped"),
)
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
        _print_measured(console, result)
    for result in results:
        # What a translation breaks is shown rule by rule, in the drift report.
        if not by_key[result.implementation, result.contract].translated_from:
            _print_outcomes(console, result)
    if len(results) > 1:
        console.print()
        console.print(_matrix(results), soft_wrap=False)
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


def _print_measured(console: Console, result: Result) -> None:
    for outcome in result.outcomes:
        if outcome.measured:
            console.print(Text(f"  {outcome.case_id}: {outcome.measured}"))


def _print_outcomes(console: Console, result: Result) -> None:
    for outcome in result.outcomes:
        word, style = MARKS[outcome.outcome]
        if outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
            console.print()
            heading = f" {outcome.case_id} — {outcome.promise}"
            console.print(Text.assemble((word, style), (heading, "bold")))
            for line in _told(outcome):
                console.print(Text(f"  {line}"))
            console.print(Text(f"  repeat   {outcome.repeat}", style="dim"))
        elif outcome.outcome is not Outcome.PASS:
            reason = outcome.divergence or outcome.detail
            console.print(Text.assemble((word, style), f" {outcome.case_id}: {reason}"))


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


def _matrix(results: Sequence[Result]) -> Table:
    """One row a rule, one column an implementation."""
    table = Table(box=None, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    for result in results:
        table.add_column(f"{result.implementation}\n{result.contract}")
    checked = {(o.contract, o.rule) for result in results for o in result.outcomes}
    for contract, rule in sorted(checked, key=_place):
        table.add_row(f"{contract}/{rule}", *(_mark(result, contract, rule) for result in results))
    return table


def _place(checked: tuple[str, str]) -> tuple[str, int]:
    """Rules come in the order of their contract, whatever order the cases ran in."""
    contract, rule = checked
    rules = list(RULES.get(contract, ()))
    return contract, rules.index(rule) if rule in rules else len(rules)


def _mark(result: Result, contract: str, rule: str) -> Text:
    outcomes = [o for o in result.outcomes if (o.contract, o.rule) == (contract, rule)]
    if not outcomes:
        return Text("-", style="dim")
    return Text(*MARKS[Outcome.worst(o.outcome for o in outcomes)])
