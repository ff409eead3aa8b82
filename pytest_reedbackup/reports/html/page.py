"""The page: everything of a report, in the order in which a person asks for it."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pytest_reedbackup.model.grouping import by_cause, by_reason
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.verdict import Result, Verdict, worst
from pytest_reedbackup.reports.html.differences import side_by_side
from pytest_reedbackup.reports.html.plots import plot_of
from pytest_reedbackup.reports.html.sweeps import Points
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.reports.marks import COUNTED, MARKS
from pytest_reedbackup.reports.matrix import matrices
from pytest_reedbackup.reports.stored.runs import results_of
from pytest_reedbackup.reports.strip import LEGEND
from pytest_reedbackup.reports.words.sentence import clause, sentence
from pytest_reedbackup.reports.words.visible import shortened

_TEMPLATES = Path(__file__).with_name("templates")
_HINDERED = (Outcome.NOT_CHECKED, Outcome.UNDECIDED)
_SET_ASIDE = (Outcome.DIVERGES, Outcome.SKIP)
_SHOWN_AT_ONCE = 12
"""How many causes stand there; the others are opened on request."""
_TONES = {
    Verdict.CONFORMS: "good",
    Verdict.DIVERGES: "good",
    Verdict.DOES_NOT_CONFORM: "bad",
    Verdict.UNDECIDED: "unsure",
}


def page(report: Report) -> str:
    """Return the page, as HTML that needs nothing else."""
    results = results_of(report)
    keys = [(result.implementation, result.contract) for result in results]
    points = Points()
    cases = sorted(report.cases, key=lambda case: case.outcome.rank)
    sweeps = [points.add(case, case.sweep) for case in cases if case.sweep]
    script, style = _text("page.js"), _text("page.css")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            results=results,
            sentence=sentence(results),
            tone=_TONES[shown.verdict if (shown := worst(results)) else Verdict.UNDECIDED],
            causes=[alike for result in results for alike in _by_cause(result)],
            others=[
                alike for result in results for alike in by_reason(result.outcomes, _SET_ASIDE)
            ],
            matrices=list(matrices(results)),
            measured=[case for case in report.cases if case.measured],
            sweeps=sweeps,
            cases=cases,
            groups=list(dict.fromkeys(case.rule.split("/")[0] for case in report.cases)),
            outcomes=[
                (o, words) for o, words in COUNTED if any(c.outcome is o for c in report.cases)
            ],
            numbers={case.key: number for number, case in enumerate(cases)},
            held_number=lambda case: keys.index((case.implementation, case.contract)),
            points=_island(points.packed()),
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src '{_hash(script)}'",
        )
    )


def _by_cause(result: Result) -> list[Sequence[CaseOutcome]]:
    """Return the cases that keep the verdict from being good, by cause: what breaks most first."""
    causes = sorted(
        by_cause(result.outcomes),
        key=lambda alike: (alike[0].outcome.rank, -len(alike)),
    )
    return [*causes, *by_reason(result.outcomes, _HINDERED)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = shlex.quote
    environment.globals |= {
        "side_by_side": side_by_side,
        "plot_of": plot_of,
        "clause": clause,
        "mark": lambda outcome: MARKS[outcome][0],
        "style_of": lambda outcome: outcome.replace(" ", "-"),
        "tone_of": lambda verdict: _TONES[verdict],
        "legend": LEGEND,
        "shown_at_once": _SHOWN_AT_ONCE,
    }
    return environment


def _shown(value: object) -> object:
    """Return what a template puts out: texts as they can be shown, but for what is HTML already."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return shortened(value)
    return value


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _island(value: object) -> Markup:
    """Return JSON as a script element can hold it: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
