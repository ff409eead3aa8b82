"""The verdict of a run in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_reedbackup.model.grouping import by_cause
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result, Verdict
from pytest_reedbackup.reports.marks import COUNTED
from pytest_reedbackup.reports.words.names import short_names

_MOST_NAMED = 3
_GOOD = (Verdict.CONFORMS, Verdict.DIVERGES)


def sentence(results: Sequence[Result]) -> str:
    """Return what came of all implementations together."""
    if not results:
        return "Nothing was held against a contract."
    if len(results) == 1:
        (result,) = results
        (name,) = short_names([result.implementation])
        return f"Under contract {result.contract} {name} {clause(result)}."
    good = sum(result.verdict in _GOOD for result in results)
    if good == len(results):
        return f"All {good} conform: {_named(results)}."
    bad = [result for result in results if result.verdict is Verdict.DOES_NOT_CONFORM]
    unsure = [result for result in results if result.verdict is Verdict.UNDECIDED]
    parts = [f"{good} of {len(results)} {'conforms' if good == 1 else 'conform'}"] if good else []
    if bad:
        parts.append(f"{_named(bad)} {'does' if len(bad) == 1 else 'do'} not conform")
    if unsure:
        parts.append(f"{_named(unsure)} {'is' if len(unsure) == 1 else 'are'} undecided")
    return f"{'; '.join(parts)}."


def clause(result: Result) -> str:
    """Return what an implementation does, as its verdict says, and on how much that rests."""
    counts, total = result.counts, len(result.outcomes)
    does = "is undecided" if result.verdict is Verdict.UNDECIDED else result.statement
    if broken := counts[Outcome.FAIL]:
        causes = sum(cases[0].outcome is Outcome.FAIL for cases in by_cause(result.outcomes))
        are = "is" if broken == 1 else "are"
        by = "" if broken == 1 else ", all by one cause" if causes == 1 else f", by {causes} causes"
        return f"{does}: of {total} promises {broken} {are} broken{by}"
    others = [
        f"{counts[outcome]} {word}"
        for outcome, word in COUNTED
        if counts[outcome] and outcome is not Outcome.PASS
    ]
    if not others:
        return f"{does}: all {total} promises are kept"
    return f"{does}: of {total} promises " + _listed([f"{counts[Outcome.PASS]} are kept", *others])


def _named(results: Sequence[Result]) -> str:
    """Return the names of a few, with the contract where it is not the same of all."""
    if len(results) > _MOST_NAMED:
        return f"{len(results)} others"
    names = short_names([each.implementation for each in results])
    if len({each.contract for each in results}) == 1:
        return _listed(names)
    pairs = zip(names, results, strict=True)
    return _listed([f"{name} ({each.contract})" for name, each in pairs])


def _listed(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
