"""The drift report as data: a row has what the ticket says, the baseline does, and was found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from msgspec import Struct

from pytest_reedbackup.contracts import RULES, drift
from pytest_reedbackup.model.case import Kind
from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.model.verdict import Result
from reedbase_backup.adapter.protocol import Contract

_LONGEST = 110
# How much of what two long texts share is shown before their difference.
_CONTEXT = 20
# What keeps a case from looking at what its rule is about.
_CUTTING_SHORT = (Cause.ERROR, Cause.TAR_FAILURE)


class Row(Struct, frozen=True, kw_only=True):
    """One rule, or one statement about the source code."""

    subject: str
    """A rule's id, or what the statement is about."""
    ticket: str
    """What the ticket says, or what its contract decides where the ticket is silent."""
    place: str
    """Where the ticket says so; empty where it is silent."""
    baseline: str
    """What the baseline does."""
    source: str
    """The document that says so."""
    defects: Sequence[str] = ()
    """Ids in BASELINE.md, "Defects seen"."""
    outcome: Outcome
    """The worst of the rule's cases; `pass` or `fail` for source code."""
    cases: str = ""
    """In how many of the rule's cases it came out so."""
    by_chance: bool = False
    """Whether only tar's random failure (D1) broke the rule: another run may find it kept."""
    found: str
    """What the implementation under test does, or its source has: the evidence, in lines."""


class RuleDrift(Struct, frozen=True):
    """One implementation under one contract, rule by rule."""

    implementation: str
    contract: Contract
    translated_from: Contract | None
    """The contract that the implementation claims, where that is the other one."""
    translation: Sequence[str]
    """What was translated how, and what could not be."""
    rows: Sequence[Row]


class SourceDrift(Struct, frozen=True):
    """A module's source code, statement by statement of the ticket."""

    folder: str
    rows: Sequence[Row]


class Drift(Struct, frozen=True):
    """All that a run shows of the drift."""

    implementations: Sequence[RuleDrift]
    source: SourceDrift | None


def drift_of(
    results: Sequence[Result], targets: Sequence[Target], source: SourceDrift | None
) -> Drift | None:
    """Return the drift of every translated implementation, of every one beside source code.

    None where there is neither.
    """
    by_key = {(target.option, target.contract): target for target in targets}
    shown = [
        _rule_drift(result, target)
        for result in results
        if (target := by_key[result.implementation, result.contract]).translated_from or source
    ]
    return Drift(shown, source) if shown or source else None


def _rule_drift(result: Result, target: Target) -> RuleDrift:
    return RuleDrift(
        implementation=result.implementation,
        contract=result.contract,
        translated_from=target.translated_from,
        translation=target.translation,
        rows=[_row(result.contract, rule, cases) for rule, cases in _in_order(result)],
    )


def _in_order(result: Result) -> list[tuple[str, Sequence[CaseOutcome]]]:
    """Return the rules in the order of the contract's document, grouped by what they are about."""
    by_rule = result.by_rule
    order = list(drift.BASELINE if result.contract == "ticket" else RULES[result.contract])
    groups = list(dict.fromkeys(rule.split("/")[0] for rule in (*drift.BASELINE, *order, *by_rule)))

    def position(rule: str) -> tuple[int, int]:
        place = order.index(rule) if rule in order else len(order)
        return groups.index(rule.split("/")[0]), place

    return [(rule, by_rule[rule]) for rule in sorted(by_rule, key=position)]


def _row(contract: Contract, rule: str, cases: Sequence[CaseOutcome]) -> Row:
    worst = Outcome.of_rule(case.outcome for case in cases)
    in_cases, evidence = _evidence(cases, worst)
    # Users' own cases may be about rules of their own.
    says = RULES.get(contract, {}).get(rule, cases[0].promise)
    if contract == "ticket":
        fact = drift.BASELINE.get(rule, drift.UNKNOWN)
        ticket, place, baseline = says, fact.ticket, fact.baseline
        source, defects = fact.source, fact.defects
    else:
        saying = drift.TICKET.get(rule, drift.SILENT)
        ticket, place, baseline = saying.ticket, saying.place, says
        source = "contract last"
        defects = tuple(dict.fromkeys(case.defect for case in cases if case.defect))
    return Row(
        subject=rule,
        ticket=ticket,
        place=place,
        baseline=baseline,
        source=source,
        defects=defects,
        outcome=worst,
        cases=in_cases,
        by_chance=worst is Outcome.FAIL and all(map(_is_kept_or_struck, cases)),
        found=evidence,
    )


def _is_kept_or_struck(case: CaseOutcome) -> bool:
    """Return whether a case did not break the rule, or only by what strikes at random."""
    return case.outcome is not Outcome.FAIL or case.cause is Cause.TAR_FAILURE


def _evidence(cases: Sequence[CaseOutcome], worst: Outcome) -> tuple[str, str]:
    """Return in how many cases it came out so, and the evidence, in lines."""
    deciding = [case for case in cases if case.outcome is worst]
    in_cases = f"{len(deciding)} of {len(cases)}"
    if worst is Outcome.PASS:
        lines = [case.measured for case in cases if case.measured]
        return in_cases, "\n".join([*lines, *(line for case in cases for line in _not_stood(case))])
    shown = min(deciding, key=_opacity)
    if worst is not Outcome.FAIL:
        return in_cases, _short(shown.divergence or shown.detail)
    where = f"{shown.variant}: {shown.detail}" if shown.variant else shown.detail
    lines = _not_stood(shown) or _differing(where, shown.expected, shown.found)
    if all(map(_is_kept_or_struck, deciding)):
        lines.append("(D1 alone, which strikes at random: another run may find the rule kept)")
    return in_cases, "\n".join(lines)


def _not_stood(case: CaseOutcome) -> list[str]:
    """Return at how many points of a sweep something was not stood, and the first; or nothing."""
    first = case.sweep and case.sweep.first_broken
    if case.sweep is None or not first:
        return []
    broken = len({result.point for result in case.sweep.broken})
    points = f"{broken} of {case.sweep.visited} points; at {first.place}: {first.detail}"
    where = f"{case.variant}: {points}" if case.variant else points
    return _differing(where, first.expected, first.found)


def _differing(where: str, expected: str, found: str) -> list[str]:
    expected, found = _apart(expected, found)
    return [_short(where), f"expected {_short(expected)}", f"found {_short(found)}"]


def _opacity(case: CaseOutcome) -> tuple[bool, bool]:
    """Return a key by which the plainest comes first: not cut short, and made up for its rule."""
    return case.cause in _CUTTING_SHORT, case.kind is Kind.FUZZING


def _apart(expected: str, found: str) -> tuple[str, str]:
    """Return the two texts without most of a long beginning that they share."""
    pairs = zip(expected, found, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if shared <= _LONGEST // 2:
        return expected, found
    start = shared - _CONTEXT
    return f"…{expected[start:]}", f"…{found[start:]}"


def _short(text: str) -> str:
    first, *more = text.splitlines() or [""]
    shown = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
    return f"{shown} (and {len(more)} more)" if more else shown
