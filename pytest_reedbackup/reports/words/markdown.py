"""The summary of a run in Markdown, as GitHub shows it beside a job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.grouping import by_cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.marks import COUNTED, MARKS
from pytest_reedbackup.reports.words.sentence import sentence
from pytest_reedbackup.reports.words.visible import visible
from pytest_reedbackup.reports.writer import Writer

_MOST_CAUSES = 20
_NAMED = 3
_MOST_CHARACTERS = 600


class MarkdownSummary(Writer):
    """Adds to a file that other steps of a job write to, too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Add the summary."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(summary(results))


def summary(results: Sequence[Result]) -> str:
    """Return the verdict, the counts, and what is wrong by its cause."""
    causes = [cases for result in results for cases in by_cause(result.outcomes)]
    parts = [f"## {plain(sentence(results))}\n", _table(results)]
    parts += [_cause(cases) for cases in causes[:_MOST_CAUSES]]
    if len(causes) > _MOST_CAUSES:
        parts.append(f"and {len(causes) - _MOST_CAUSES} more causes: the report has them all\n")
    return "\n".join(parts) + "\n"


def _table(results: Sequence[Result]) -> str:
    shown = [(o, words) for o, words in COUNTED if any(result.counts[o] for result in results)]
    head = ["implementation", "contract", "verdict", *(words for _, words in shown)]
    rows = [
        [
            code(result.implementation),
            result.contract,
            result.statement,
            *(str(result.counts[outcome]) for outcome, _ in shown),
        ]
        for result in results
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def _cause(cases: Sequence[CaseOutcome]) -> str:
    first = cases[0]
    ids = ", ".join(code(case.case_id) for case in cases[:_NAMED])
    others = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    lines = [f"**{MARKS[first.outcome][0]}** {ids}{others}", "", f"- {code(first.detail)}"]
    if first.outcome is Outcome.FAIL:
        lines += [f"- expected {code(first.expected)}", f"- found {code(first.found)}"]
    return "\n".join([*lines, f"- repeat {code(first.repeat)}", ""])


def code(text: str) -> str:
    """Return a text of strangers that Markdown shows as it is, in one line."""
    short = text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} …"
    line = visible(" ".join(short.split())).replace("|", "\\|")
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line or ' '}`"


def plain(text: str) -> str:
    """Return a sentence with implementations' names in it, none of which is Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", visible(" ".join(text.split())))
