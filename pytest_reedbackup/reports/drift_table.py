"""The drift report in the terminal: what the ticket says, the baseline does, and was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import StringIO
from itertools import groupby

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pytest_reedbackup.drift.rows import Drift, Row, RuleDrift, SourceDrift
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.marks import COUNTED, MARKS
from pytest_reedbackup.reports.writer import Screen, Writer

_NAME_WIDTH = 22
_ABOUT_PLACES = {
    "ticket": (
        "(Architecture …) is the place in the ticket; where none is named, the ticket is silent,"
        " and its contract decides",
    ),
    "last": (),
}
_GROUPS = {
    "create": "create_backup",
    "list": "list_backups",
    "restore": "restore_point_in_time",
}


class DriftTable(Writer):
    """The drift of a run in the terminal, where there is any."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Write the tables."""
        if drift is None:
            return
        self._screen.section("drift")
        text = render(drift, width=self._screen.width, has_colour=self._screen.has_colour)
        self._screen.write(text)


def render(drift: Drift, *, width: int, has_colour: bool) -> str:
    """Return the tables as text, with terminal colours if `has_colour`."""
    console = Console(
        file=(text := StringIO()),
        width=width,
        force_terminal=has_colour,
        no_color=not has_colour,
        highlight=False,
    )
    for part in drift.implementations:
        _print_rules(console, part)
    if drift.source is not None:
        _print_source(console, drift.source)
    return text.getvalue()


def _print_rules(console: Console, part: RuleDrift) -> None:
    translated = f", translated from {part.translated_from}" if part.translated_from else ""
    console.print(
        Text.assemble(
            (part.implementation, "bold"),
            f" under contract {part.contract}{translated}: {_counts(part.rows)}",
        )
    )
    for note in (*part.translation, *_ABOUT_PLACES[part.contract]):
        console.print(Padding(Text(note, style="dim"), (0, 0, 0, 2)))
    table = _table("rule (cases)", f"{part.implementation} does")
    for group, rows in groupby(part.rows, key=lambda row: row.subject.split("/")[0]):
        table.add_row(Text(_GROUPS.get(group, group), style="bold"), end_section=True)
        for row in rows:
            _add(table, row, row.subject.removeprefix(f"{group}/"), MARKS[row.outcome])
    console.print(table)


def _print_source(console: Console, part: SourceDrift) -> None:
    holds = sum(row.outcome is Outcome.PASS for row in part.rows)
    console.print(
        Text.assemble(
            "the source code in ",
            (part.folder, "bold"),
            f": {holds} statements of the ticket hold, {len(part.rows) - holds} do not",
        )
    )
    table = _table("source code", "the source has")
    for row in part.rows:
        word = "holds" if row.outcome is Outcome.PASS else "DIFFERS"
        _add(table, row, row.subject, (word, MARKS[row.outcome][1]))
    console.print(table)


def _counts(rows: Sequence[Row]) -> str:
    counts = Counter(row.outcome for row in rows)
    by_chance = sum(row.by_chance for row in rows)
    notes = {Outcome.FAIL: f" ({by_chance} of them by D1 alone, at random)"} if by_chance else {}
    counted = [
        f"{counts[outcome]} {word}{notes.get(outcome, '')}"
        for outcome, word in COUNTED
        if counts[outcome]
    ]
    return f"of {len(rows)} rules {', '.join(counted)}"


def _table(subject: str, found: str) -> Table:
    table = Table(box=box.HORIZONTALS, show_lines=True, expand=True, padding=(0, 1, 0, 0))
    table.border_style = "dim"
    table.add_column(subject, width=_NAME_WIDTH, overflow="fold")
    for heading, share in (("the ticket says", 21), ("the baseline does", 24), (found, 30)):
        table.add_column(heading, ratio=share, overflow="fold")
    return table


def _add(table: Table, row: Row, name: str, mark: tuple[str, str]) -> None:
    place = f" ({row.place})" if row.place else ""
    defects = f" ({', '.join(row.defects)})" if row.defects else ""
    cases = f" ({row.cases})" if row.cases else ""
    as_stated = Text("as the rule says" if row.cases else "as stated", style="dim")
    table.add_row(
        Text.assemble(name, "\n", mark, (cases, "dim")),
        Text.assemble(row.ticket, (place, "dim")),
        Text.assemble(row.baseline, (defects, "magenta")),
        row.found or as_stated,
    )
