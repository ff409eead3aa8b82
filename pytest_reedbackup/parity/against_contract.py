"""Hold one implementation alone to what contract `last` allows for each restore."""

from __future__ import annotations

from collections.abc import Collection

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.last.descriptions import describe_call
from pytest_reedbackup.generate.last.scenarios import Restore, Scenario
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.parity.comparison import frozen_copy
from pytest_reedbackup.parity.observations import (
    ExpectedObservation,
    Observation,
    joined,
)
from pytest_reedbackup.parity.restores.expect import MENDABLE, expected_restores
from pytest_reedbackup.parity.restores.observe import observe_restore
from pytest_reedbackup.parity.sides import SideRun


def check_scenario(
    implementation: Implementation, scenario: Scenario, mended: Collection[str]
) -> None:
    """Build the scenario's database, make its restores, and check all that they do.

    `mended` are the defects, by id, in whose place the implementation does the
    safe thing. Raises BrokenPromise.
    """
    with temporary_bases(scenario, "a") as (base,):
        run = SideRun("", implementation, base, frozenset(mended), scenario.locks)
        for number, call in enumerate(scenario.calls, 1):
            if isinstance(call, Restore):
                with frozen_copy(run) as before:
                    observation = observe_restore(run, call, number)
                    allowed = list(expected_restores(before, call, mended))
                _expect(observation, allowed, f"after call {number}: {describe_call(call)}")


def explaining_defects(
    implementation: Implementation, scenario: Scenario, mended: Collection[str]
) -> list[str]:
    """Return the defects, by id, that explain a broken promise.

    The implementation declares one and has it, or has not declared what it does.
    """
    return [
        defect for defect in MENDABLE if _conforms(implementation, scenario, set(mended) ^ {defect})
    ]


def _conforms(implementation: Implementation, scenario: Scenario, mended: Collection[str]) -> bool:
    try:
        check_scenario(implementation, scenario, mended)
    except BrokenPromise:
        return False
    return True


def _expect(observation: Observation, allowed: Collection[ExpectedObservation], when: str) -> None:
    """One of `allowed` must fit the observation; where there is none, the contract is silent."""
    if not allowed or any(each.fits(observation, {*each.lines, *observation}) for each in allowed):
        return
    nearest = min(allowed, key=lambda each: len(_differing(observation, each)))
    heading = _differing(observation, nearest)[0]
    raise BrokenPromise(
        f"{heading}, {when}",
        expected=joined(nearest.lines.get(heading, ())),
        found=joined(observation.get(heading, ())),
        cause=Cause.BEHAVIOUR,
    )


def _differing(observation: Observation, each: ExpectedObservation) -> list[str]:
    return [
        heading
        for heading in sorted({*each.lines, *observation})
        if not each.fits(observation, [heading])
    ]
