"""What a run found that an earlier one did not: broken, mended, slower, no longer checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from pytest_reedbackup.model.outcome import CaseOutcome, Key, Outcome
from pytest_reedbackup.model.timing import Pairs
from pytest_reedbackup.reports.json_report import Report
from pytest_reedbackup.reports.terminal.wrapping import command_lines, labelled

_MOST_NAMED = 20
_LONGEST = 200


class Change(Struct, frozen=True, kw_only=True):
    """One case that came out otherwise."""

    implementation: str
    contract: str
    case_id: str
    before: str
    """How it came out, or its ratio to the baseline; empty where it was not there."""
    after: str
    why: str = ""
    repeat: str = ""


class Changes(Struct, frozen=True, kw_only=True):
    """All cases that came out otherwise, in the order of the later run."""

    broken: Sequence[Change]
    unchecked: Sequence[Change]
    """They said something of the implementation, and do not any more."""
    slower: Sequence[Change]
    """The intervals of the ratios to the baseline do not meet: it is no noise."""
    mended: Sequence[Change]
    faster: Sequence[Change]
    same: int
    """How many of the later run's cases are in none of these."""

    @property
    def is_regression(self) -> bool:
        """Whether anything is worse than it was."""
        return bool(self.broken or self.unchecked or self.slower)

    def fields(self) -> dict[str, object]:
        """Return everything, for JSON."""
        fields: dict[str, object] = msgspec.to_builtins(self)
        return {"is_regression": self.is_regression, **fields}


def changes(old: Report, new: Report) -> Changes:
    """Return what `new` found otherwise than `old`.

    Implementations are the same by their names; where each run had but one under a
    contract, that one is compared whatever it is called.
    """
    names = _renamed(old, new)
    before = {(names.get(c.key[:2], c.implementation), *c.key[1:]): c for c in old.cases}
    after = {case.key: case for case in new.cases}
    found: dict[str, list[Change]] = {name: [] for name in _KINDS}
    for key in [*after, *(key for key in before if key not in after)]:
        for kind, change in _changed(key, before.get(key), after.get(key)):
            found[kind].append(change)
    otherwise = {(c.implementation, c.contract, c.case_id) for each in found.values() for c in each}
    return Changes(**found, same=len(after.keys() - otherwise))


_KINDS = ("broken", "unchecked", "slower", "mended", "faster")
_HEADINGS = {
    "broken": "newly broken",
    "unchecked": "not checked any more",
    "slower": "slower by more than the noise",
    "mended": "mended",
    "faster": "faster by more than the noise",
}


def lines(found: Changes, width: int = 80) -> Iterator[str]:
    """Yield the changes for people, `width` characters wide: the worst first, and what to type."""
    for kind in _KINDS:
        named: Sequence[Change] = getattr(found, kind)
        if named:
            yield f"{_HEADINGS[kind]}: {len(named)}"
        for change in named[:_MOST_NAMED]:
            went = f"{change.before} -> {change.after}" if change.before else change.after
            what = f"{change.case_id} ({change.implementation}): {went}"
            yield from labelled("  ", what, width)
            if change.why:
                first = change.why.splitlines()[0]
                why = first if len(first) <= _LONGEST else f"{first[:_LONGEST]} …"
                yield from labelled("    ", why, width)
            if change.repeat and kind in ("broken", "slower"):
                yield from _command(change.repeat, width)
        if len(named) > _MOST_NAMED:
            yield f"  and {len(named) - _MOST_NAMED} more: --json has all"
    yield f"as before: {found.same}"


def _command(command: str, width: int) -> Iterator[str]:
    label = "    repeat: "
    try:
        yield from command_lines(label, command, width)
    except ValueError:  # a report of another kit
        yield f"{label}{command}"


def _renamed(old: Report, new: Report) -> Mapping[tuple[str, str], str]:
    """Return what implementations of the earlier run are called in the later one."""
    renamed: dict[tuple[str, str], str] = {}
    for contract in {held.contract for held in new.implementations}:
        sides = [
            [held.implementation for held in report.implementations if held.contract == contract]
            for report in (old, new)
        ]
        if all(len(side) == 1 for side in sides):
            renamed[sides[0][0], contract] = sides[1][0]
    return renamed


def _changed(
    key: Key, before: CaseOutcome | None, after: CaseOutcome | None
) -> Iterator[tuple[str, Change]]:
    was, now = before and before.outcome, after and after.outcome
    words = (str(was or ""), str(now or "not in the run"))
    why = _why(after) if after else ""
    repeat = after.repeat if after else ""
    if now is Outcome.FAIL and was is not Outcome.FAIL:
        yield "broken", _change(key, words, why, repeat)
    elif was is Outcome.FAIL and now is Outcome.PASS:
        yield "mended", _change(key, words)
    elif was and was.is_checked and not (now and now.is_checked):
        yield "unchecked", _change(key, words, why)
    if before and after:
        yield from _in_time(key, before, after)


def _in_time(key: Key, before: CaseOutcome, after: CaseOutcome) -> Iterator[tuple[str, Change]]:
    was, now = before.timing, after.timing
    if not isinstance(was, Pairs) or not isinstance(now, Pairs):
        return
    words = (_ratio(was), _ratio(now))
    if now.interval[0] > was.interval[1]:
        yield "slower", _change(key, words, repeat=after.repeat)
    elif now.interval[1] < was.interval[0]:
        yield "faster", _change(key, words)


def _ratio(pairs: Pairs) -> str:
    lower, upper = pairs.interval
    return f"{pairs.ratio:.0%} of the baseline's time ({lower:.0%} to {upper:.0%})"


def _why(case: CaseOutcome) -> str:
    if case.outcome is not Outcome.FAIL:
        return case.detail
    return f"{case.detail}: expected {case.expected}, found {case.found}"


def _change(key: Key, words: tuple[str, str], why: str = "", repeat: str = "") -> Change:
    implementation, contract, case_id = key
    return Change(
        implementation=implementation,
        contract=contract,
        case_id=case_id,
        before=words[0],
        after=words[1],
        why=why,
        repeat=repeat,
    )
