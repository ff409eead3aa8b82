"""What is wrong, cause by cause, as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.model.grouping import by_cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.reports.marks import MARKS
from pytest_reedbackup.reports.strip import LEGEND, evidence, headline, strips
from pytest_reedbackup.reports.terminal.wrapping import command_lines, labelled

_INDENT = " " * 11
_MOST_LINES = 8
_NAMED = 3


def print_broken(console: Console, outcomes: Sequence[CaseOutcome], *, is_verbose: bool) -> None:
    """Print each cause of broken promises and errors once; all of it where `is_verbose`."""
    for cases in by_cause(outcomes):
        first = cases[0]
        console.print()
        _print_heading(console, first, len(cases))
        for line in _evidence(first, console.width, 0 if is_verbose else _MOST_LINES):
            console.print(Text(line))
        if first.sweep is not None:
            _print_points(console, first.sweep)
        if first.flaky:
            console.print(Text(f"  flaky    not every one of {first.attempts} attempts ended so"))
        if len(cases) > 1:
            named = ids_in_words([case.case_id for case in cases], is_verbose=is_verbose)
            for line in labelled("  cases    ", named, console.width):
                console.print(Text(line))
        for line in command_lines("  repeat   ", first.repeat, console.width):
            console.print(Text(line, style="dim"))


def _print_heading(console: Console, first: CaseOutcome, number: int) -> None:
    word, style = MARKS[first.outcome]
    about = f"{first.case_id} — {first.promise}"
    if number > 1:
        about = f"{number} cases for one cause; the first is {about}"
    head, *more = labelled(f"{word} ", about, console.width)
    console.print(Text.assemble((word, style), (head.removeprefix(word), "bold")))
    for line in more:
        console.print(Text(line, style="bold"))


def _evidence(outcome: CaseOutcome, width: int, most: int) -> Iterator[str]:
    if outcome.outcome is Outcome.ERROR:
        yield from labelled("  ", outcome.detail, width, most)
    else:
        yield from labelled("  at       ", outcome.detail, width, most)
        if outcome.difference:
            lines = "\n".join(["- expected, + found:", *outcome.difference])
            yield from labelled("  differs  ", lines, width, most)
        else:
            yield from labelled("  expected ", outcome.expected, width, most)
            yield from labelled("  found    ", outcome.found, width, most)
        yield from _about_defect(outcome, width)
    if outcome.notes:
        # The last says where it is kept.
        yield from labelled("  known    ", "\n".join(outcome.notes), width, most, last=1)


def _about_defect(outcome: CaseOutcome, width: int) -> Iterator[str]:
    """Yield what to do where an implementation does the safe thing in a defect's place."""
    if outcome.defect and not outcome.divergence:
        words = (
            f"{outcome.defect}: {DEFECTS[outcome.defect]}; an implementation that does the safe"
            " thing declares this divergence (--reedbackup-divergences)"
        )
        yield from labelled("  defect   ", words, width)


def _print_points(console: Console, sweep: Sweep) -> None:
    """Print the points of a sweep that was not stood, and the first bad one in full."""
    for line in labelled("  points   ", f"{headline(sweep)} ({LEGEND})", console.width):
        console.print(Text(line))
    for line in strips(sweep, console.width - len(_INDENT)):
        console.print(Text(f"{_INDENT}{line}"))
    if sweep.first_broken is not None:
        for line in evidence(sweep.first_broken):
            console.print(Text(f"{_INDENT}{line}", style="dim"))


def ids_in_words(case_ids: Sequence[str], *, is_verbose: bool) -> str:
    """Return the first ids and how many there are more; all of them where `is_verbose`."""
    shown = case_ids if is_verbose or len(case_ids) <= _NAMED + 1 else case_ids[:_NAMED]
    left = len(case_ids) - len(shown)
    return ", ".join(shown) + (f" and {left} more; -v names all" if left else "")
