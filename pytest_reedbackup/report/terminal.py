"""The summary in the terminal: verdicts first, then what was broken, then the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Result, Verdict
from reedbase_backup.protocol import Hello

_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.DOES_NOT_CONFORM: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}
_MARKS = {
    Outcome.PASS: ("kept", "green"),
    Outcome.FAIL: ("BROKEN", "bold red"),
    Outcome.ERROR: ("error", "yellow"),
    Outcome.SKIP: ("skipped", "cyan"),
}
# The worst outcome of a rule's cases is the rule's.
_SEVERITY = (Outcome.FAIL, Outcome.ERROR, Outcome.PASS, Outcome.SKIP)


def render(
    results: Sequence[Result], hellos: Mapping[str, Hello], *, width: int, colour: bool
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
    for result in results:
        _print_verdict(console, result, hellos[result.implementation])
    for result in results:
        _print_outcomes(console, result)
    if len(results) > 1:
        console.print()
        console.print(_matrix(results), soft_wrap=False)
    return target.getvalue()


def _print_verdict(console: Console, result: Result, hello: Hello) -> None:
    counts = result.counts
    name = result.implementation
    identity = f"{hello.name} {hello.version}, {hello.language}"
    line = Text.assemble(
        (f"{name}", "bold"),
        f" ({identity}) · contract {result.contract}: ",
        (result.verdict.value, _STYLES[result.verdict]),
        f" — {counts[Outcome.PASS]} promises kept, {counts[Outcome.FAIL]} broken,"
        f" {counts[Outcome.ERROR]} errors, {counts[Outcome.SKIP]} skipped",
    )
    console.print(line)
    for rule in result.unchecked_rules:
        console.print(f"  not checked, for the machine lacks a tool: {rule}", style="yellow")


def _print_outcomes(console: Console, result: Result) -> None:
    told = [o for o in result.outcomes if o.outcome in (Outcome.FAIL, Outcome.ERROR)]
    for outcome in told:
        word, style = _MARKS[outcome.outcome]
        console.print()
        console.print(
            Text.assemble(
                (f"{word:7}", style), " ", (outcome.case_id, "bold"), f" — {outcome.promise}"
            )
        )
        if outcome.outcome is Outcome.FAIL:
            console.print(Text(f"        {outcome.detail}"))
            console.print(Text(f"        expected {_first_line(outcome.expected)}"))
            console.print(Text(f"        found    {_first_line(outcome.found)}"))
        else:
            console.print(Text(f"        {_first_line(outcome.detail)}"))
        console.print(Text(f"        repeat   {outcome.repeat}", style="dim"))
    for outcome in result.outcomes:
        if outcome.outcome is Outcome.SKIP:
            console.print(Text(f"skipped {outcome.case_id}: {outcome.detail}", style="cyan"))


def _first_line(text: str) -> str:
    first, *more = text.splitlines() or [""]
    return f"{first} (and {len(more)} more lines above)" if more else first


def _matrix(results: Sequence[Result]) -> Table:
    """One row a rule, one column an implementation."""
    table = Table(box=None, pad_edge=False)
    table.add_column("rule")
    for result in results:
        table.add_column(f"{result.implementation}\n{result.contract}")
    rules = dict.fromkeys(
        (outcome.contract, outcome.rule) for result in results for outcome in result.outcomes
    )
    for contract, rule in rules:
        table.add_row(f"{contract}/{rule}", *(_mark(result, contract, rule) for result in results))
    return table


def _mark(result: Result, contract: str, rule: str) -> Text:
    outcomes = [o for o in result.outcomes if (o.contract, o.rule) == (contract, rule)]
    if not outcomes:
        return Text("–", style="dim")
    return Text(*_MARKS[_worst(outcomes)])


def _worst(outcomes: Sequence[CaseOutcome]) -> Outcome:
    return min((outcome.outcome for outcome in outcomes), key=_SEVERITY.index)
