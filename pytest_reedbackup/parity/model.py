"""One implementation alone, held against what contract `last` says of each restore."""

from __future__ import annotations

from collections.abc import Collection

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.last.descriptions import call_in_words
from pytest_reedbackup.generate.last.sandbox import built
from pytest_reedbackup.generate.last.scenarios import Restore, Scenario
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.parity import restores
from pytest_reedbackup.parity.comparison import kept_before
from pytest_reedbackup.parity.expected import MENDABLE, expected
from pytest_reedbackup.parity.facts import Expected, Facts, Side, fits, in_text


def play(implementation: Implementation, scenario: Scenario, mended: Collection[str]) -> None:
    """Builds the database and restores it, as the scenario says, and checks all that it does.

    `mended` are the defects, by id, in whose place the implementation does the safe
    thing. Raises BrokenPromise.
    """
    with built(scenario, "a") as (base,):
        side = Side("", implementation, base, frozenset(mended), scenario.locks)
        for number, call in enumerate(scenario.calls, 1):
            if isinstance(call, Restore):
                with kept_before(side) as before:
                    facts = restores.observed(side, call, number)
                    allowed = list(expected(before, call, mended))
                _expect(facts, allowed, f"after call {number}: {call_in_words(call)}")


def just_of_a_defect(
    implementation: Implementation, scenario: Scenario, mended: Collection[str]
) -> list[str]:
    """The defects, by id, of which it would be no broken promise to say otherwise."""
    return [
        defect for defect in MENDABLE if _is_kept(implementation, scenario, set(mended) ^ {defect})
    ]


def _is_kept(implementation: Implementation, scenario: Scenario, mended: Collection[str]) -> bool:
    try:
        play(implementation, scenario, mended)
    except BrokenPromise:
        return False
    return True


def _expect(facts: Facts, allowed: Collection[Expected], when: str) -> None:
    """One of these must be what came of the call; where there is none, the contract is silent."""
    if not allowed or any(fits(each, facts, {*each.lines, *facts}) for each in allowed):
        return
    nearest = min(allowed, key=lambda each: len(_differing(facts, each)))
    heading = _differing(facts, nearest)[0]
    raise BrokenPromise(
        f"{heading}, {when}",
        expected=in_text(nearest.lines.get(heading, ())),
        found=in_text(facts.get(heading, ())),
        cause=Cause.BEHAVIOUR,
    )


def _differing(facts: Facts, each: Expected) -> list[str]:
    return [
        heading for heading in sorted({*each.lines, *facts}) if not fits(each, facts, [heading])
    ]
