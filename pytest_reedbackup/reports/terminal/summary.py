"""The summary in the terminal: verdicts first, then what was broken, then the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.grouping import by_reason
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.model.verdict import Result, Verdict
from pytest_reedbackup.reports.marks import COUNTED, MARKS
from pytest_reedbackup.reports.matrix import Matrix, matrices
from pytest_reedbackup.reports.strip import headline
from pytest_reedbackup.reports.terminal.broken import ids_in_words, print_broken
from pytest_reedbackup.reports.terminal.wrapping import LEAST, labelled
from pytest_reedbackup.reports.writer import Screen, Writer

_VERDICT_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.DIVERGES: "bold green",
    Verdict.DOES_NOT_CONFORM: "bold red",
    Verdict.UNDECIDED: "bold yellow",
}
_GROUPED = (Outcome.SKIP, Outcome.UNDECIDED, Outcome.DIVERGES, Outcome.NOT_CHECKED)
_WIDEST_MARK = max(len(word) for word, _ in MARKS.values())
_ALWAYS_COUNTED = (Outcome.PASS, Outcome.FAIL, Outcome.ERROR, Outcome.SKIP)


class Summary(Writer):
    """What a run came to, in the terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def start(self, run: RunRecord) -> None:
        """Keep the record of the run."""
        self._run = run

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Write the summary."""
        screen, run = self._screen, self._run
        console = Console(
            file=(text := StringIO()),
            width=screen.width,
            force_terminal=screen.has_colour,
            no_color=not screen.has_colour,
            highlight=False,
            soft_wrap=True,
        )
        targets = [run.target(result.implementation, result.contract) for result in results]
        for result, target in zip(results, targets, strict=True):
            _print_verdict(console, result, target)
        for result, target in zip(results, targets, strict=True):
            _print_details(
                console,
                result,
                target,
                is_headed=len(results) > 1,
                is_verbose=screen.is_verbose,
            )
        if len(results) > 1:
            for matrix in matrices(results):
                console.print()
                console.print(_drawn(matrix), soft_wrap=False)
        screen.section("reedbackup")
        screen.write(text.getvalue())


def _drawn(matrix: Matrix) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(f"contract {matrix.contract}", no_wrap=True)
    for name in matrix.columns:
        # Names are folded, never cut: two that differ at the end stay two.
        table.add_column(name, overflow="fold", min_width=_WIDEST_MARK)
    for row in matrix.rows:
        table.add_row(row.rule, *(Text(*MARKS[o]) if o else Text("-", "dim") for o in row.outcomes))
    return table


def _print_verdict(console: Console, result: Result, target: Target) -> None:
    counts, hello = result.counts, target.hello
    counted = [
        f"{counts[outcome]} {word}"
        for outcome, word in COUNTED
        if counts[outcome] or outcome in _ALWAYS_COUNTED
    ]
    verdict = Text.assemble(
        (result.implementation, "bold"),
        f" under contract {result.contract}{_translated(target)}: ",
        (result.statement, _VERDICT_STYLES[result.verdict]),
        f"{_share(result)} — promises: {', '.join(counted)}",
    )
    for line in verdict.wrap(console, max(console.width, LEAST)):
        line.rstrip()
        console.print(line)
    about = f"{hello.name} {hello.version}, {hello.language}; clock: {target.clock}"
    _print_line(console, "  ", about + _replayed(target), "dim")
    for words, rules in (
        ("not checked", result.unchecked_rules),
        ("cannot be held to", result.untried_rules),
    ):
        _print_rules(console, words, rules)


def _print_rules(console: Console, words: str, rules: Mapping[str, CaseOutcome]) -> None:
    """Print the rules that were not checked, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for rule, case in rules.items():
        by_reason.setdefault(case.detail, []).append(rule)
    for reason, named in by_reason.items():
        _print_line(console, f"  {words}: ", f"{', '.join(named)}: {reason}", "yellow")


def _replayed(target: Target) -> str:
    """Return that it is no implementation that ran, and from when."""
    origin = target.recorded
    if origin is None:
        return ""
    return f"; a replay, recorded {origin.time} on {origin.machine} by kit {origin.kit}"


def _share(result: Result) -> str:
    """Return how many of the contract's rules the verdict rests on, where not on all of them."""
    rules = RULES.get(result.contract, {})
    checked = len(result.checked_rules & rules.keys())
    return f" ({checked} of {len(rules)} rules)" if checked < len(rules) else ""


def _translated(target: Target) -> str:
    return f", translated from {target.translated_from}" if target.translated_from else ""


def _print_details(
    console: Console, result: Result, target: Target, *, is_headed: bool, is_verbose: bool
) -> None:
    """Print what was measured, broken, and left out; under a heading if `is_headed`."""
    measured = [outcome for outcome in result.outcomes if outcome.measured]
    # What a translation breaks is shown rule by rule, in the drift report.
    listed = () if target.translated_from else result.outcomes
    if is_headed and (measured or any(o.outcome is not Outcome.PASS for o in listed)):
        console.print()
        heading = f"{result.implementation}, contract {result.contract}:"
        console.print(Text(heading, style="bold"))
    for outcome in measured:
        _print_line(console, f"  {outcome.case_id}: ", outcome.measured)
    for yardstick in dict.fromkeys(each.yardstick for each in measured if each.yardstick):
        _print_line(console, "  ", yardstick, "dim")
    _print_sweeps(console, result)
    print_broken(console, listed, is_verbose=is_verbose)
    said = {**result.unchecked_rules, **result.untried_rules}
    unsaid = [each for each in listed if not _is_said(each, said)]
    _print_by_reason(console, listed if is_verbose else unsaid, is_verbose=is_verbose)


def _is_said(outcome: CaseOutcome, said: Mapping[str, CaseOutcome]) -> bool:
    """Return whether a rule that was not held says already what there is to say of a case."""
    rule = said.get(outcome.rule)
    return rule is not None and (rule.outcome, rule.detail) == (outcome.outcome, outcome.detail)


def _print_sweeps(console: Console, result: Result) -> None:
    """Print how many points were visited: of each sweep that was whole, of the others together."""
    swept = [(outcome, outcome.sweep) for outcome in result.outcomes if outcome.sweep]
    is_sample = any(0 < sweep.tried < sweep.points for _, sweep in swept)
    sampled: list[Sweep] = []
    for outcome, sweep in swept:
        is_whole = sweep.tried == sweep.points
        if is_sample and (not is_whole or sweep.points == 1):
            sampled.append(sweep)
        elif is_whole:
            took = f"{outcome.duration_secs:.1f} s"
            _print_line(console, f"  {outcome.case_id}: ", f"{headline(sweep)}, {took}")
    if sampled:
        visited, points = sum(s.visited for s in sampled), sum(s.points for s in sampled)
        _print_line(
            console,
            "  ",
            f"a sample of {visited:,} of {points:,} points of {_sweeps(len(sampled))};"
            " --reedbackup-faults=full: all",
        )


def _sweeps(number: int) -> str:
    return "1 sweep" if number == 1 else f"{number} sweeps"


def _print_by_reason(
    console: Console, outcomes: Sequence[CaseOutcome], *, is_verbose: bool
) -> None:
    """Print cases that were skipped, undecided or diverged, those of one reason together."""
    for alike in by_reason(outcomes, _GROUPED):
        first, *more = alike
        word, style = MARKS[first.outcome]
        about = f"{len(alike)} cases" if more else first.case_id
        lines = labelled(f"{word} ", f"{about}: {first.divergence or first.detail}", console.width)
        console.print(Text.assemble((word, style), next(lines).removeprefix(word)))
        for line in lines:
            console.print(Text(line))
        if more:
            named = ids_in_words([case.case_id for case in alike], is_verbose=is_verbose)
            _print_line(console, "  ", named)


def _print_line(console: Console, label: str, text: str, style: str = "") -> None:
    for line in labelled(label, text, console.width):
        console.print(Text(line, style=style))
