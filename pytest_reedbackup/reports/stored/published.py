"""Runs as a page in Markdown, for docs: what does not change while nobody changes anything.

No times, machines or versions, nothing that a sample of points decides, and no numbers of cases,
which grow: verdicts, rule by rule. So a test can hold the page against any run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_reedbackup.drift.rows import Row
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.json_report import ImplementationReport, Report
from pytest_reedbackup.reports.marks import COUNTED, MARKS
from pytest_reedbackup.reports.stored.runs import results_of
from pytest_reedbackup.reports.words.markdown import code, plain

_HEAD = """\
# Results

What this kit says of implementations of its own. `reedbackup report results FILE.json…` made this
page of the JSON reports of runs, and tests hold each part of it against a run. The words are those
of [the report](report.md#verdicts).
"""


def published(reports: Sequence[Report]) -> str:
    """Return the page of some runs, a part for each implementation under each contract."""
    return "\n".join([_HEAD, *(part for report in reports for part in parts(report))])


def parts(report: Report) -> Iterator[str]:
    """Yield the part of each implementation under each contract."""
    drift = report.drift.implementations if report.drift else ()
    drifted = {(each.implementation, each.contract): each.rows for each in drift}
    for held, result in zip(report.implementations, results_of(report), strict=True):
        rows = drifted.get((held.implementation, held.contract), ())
        yield "\n".join(_part(held, result, rows))


def _part(held: ImplementationReport, result: Result, drift: Sequence[Row]) -> Iterator[str]:
    yield f"## {plain(held.name)} ({plain(held.language)}) under contract {held.contract}\n"
    if held.translated_from:
        yield f"It claims contract {held.translated_from}; calls and values are translated.\n"
    rules: dict[Outcome, list[str]] = {}
    for rule, cases in result.by_rule.items():
        worst = Outcome.of_rule(case.outcome for case in cases)
        rules.setdefault(worst, []).append(_rule(rule, cases, worst))
    shown = [(outcome, words) for outcome, words in COUNTED if outcome in rules]
    counted = ", ".join(f"{len(rules[outcome])} {words}" for outcome, words in shown)
    yield f"**{result.statement}**: of {len(result.by_rule)} rules {counted}.\n"
    if held.left_out:
        yield "The run was told to leave some cases out.\n"
    yield "| | rules |"
    yield "|---|---|"
    for outcome, _ in shown:
        yield f"| {MARKS[outcome][0]} | {', '.join(rules[outcome])} |"
    yield from _drift(drift)
    yield ""


def _rule(rule: str, cases: Sequence[CaseOutcome], outcome: Outcome) -> str:
    """Return a rule with the defects that it is about, in the cases that came out so."""
    defects = dict.fromkeys(case.defect for case in cases if case.outcome is outcome)
    about = ", ".join(filter(None, defects))
    return f"{code(rule)} ({about})" if about else code(rule)


def _drift(rows: Sequence[Row]) -> Iterator[str]:
    """Yield what the ticket says and the baseline does of each rule that is broken."""
    broken = [row for row in rows if row.outcome is Outcome.FAIL]
    if not broken:
        return
    yield "\nThe drift, in the rules that it breaks:\n"
    yield "| rule | the ticket says | the baseline does |"
    yield "|---|---|---|"
    for row in broken:
        place = f" ({row.place})" if row.place else ""
        defects = f" ({', '.join(row.defects)})" if row.defects else ""
        says, does = plain(f"{row.ticket}{place}"), plain(f"{row.baseline}{defects}")
        yield f"| {code(row.subject)} | {says} | {does} |"
