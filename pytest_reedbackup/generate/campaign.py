"""How much to generate, from which seed, and how to repeat it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.hypothesis_internals import draws_from_seed_alone
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.model.adapter_faults import AdapterFault, NotRecorded

# Steps of a state machine in one example.
_STEPS = 12


@dataclass(frozen=True)
class Fuzzing:
    """A number of examples and a seed, divided among cases and workers."""

    examples: int = 100
    seed: int = 0
    shares: int = 1
    """Into how many parts a case is divided, each drawing examples of its own."""

    def portion(self, share: float) -> Fuzzing:
        """Return the part of a campaign that one case tries: at least one example."""
        return replace(self, examples=max(1, round(self.examples * share)))

    def equal_part(self, cases: int) -> Fuzzing:
        """Return the part of one among so many cases: the whole where it is alone."""
        return self.portion(1 / max(1, cases))

    def settings(self, *, shrink: bool = True) -> hypothesis.settings:
        """Return the Hypothesis settings for one share; nothing is remembered between runs."""
        return hypothesis.settings(
            max_examples=max(1, -(-self.examples // self.shares)),
            stateful_step_count=_STEPS,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            verbosity=Verbosity.normal,
            suppress_health_check=list(HealthCheck),
        )

    def seeded(self, share: int) -> Callable[[Any], Any]:
        """Return a decorator that makes one share draw its own examples, the same each time."""
        return hypothesis.seed(self.seed * 1_000_003 + share)


@dataclass(frozen=True)
class FaultRaisingImplementation(Implementation):
    """An implementation whose adapter's faults end the campaign at once.

    A fault is no broken promise, and Hypothesis would run into it hundreds of
    times to shrink the example: with a hanging adapter, each time to the timeout.
    """

    whose: str = ""
    """Who is to be named where it is not the implementation under test."""

    def _call(self, method: str, base: Path, **params: int) -> Answer:
        try:
            return super()._call(method, base, **params)
        except AdapterFault as fault:
            fault.call = f"{self.whose}{fault.call}"
            raise _CampaignEnd(fault) from fault


class _CampaignEnd(BaseException):
    """A fault ends the campaign. No Exception, so that Hypothesis lets it pass."""

    def __init__(self, fault: AdapterFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class NotInRecording(Exception):
    """An example makes a call that a replayed recording does not have."""


@contextmanager
def within_recording(is_shrinking: bool) -> Iterator[None]:
    """Raise NotInRecording for a call that is not recorded, if an example is being shrunk.

    A recording has the examples that are generated, and not the smaller ones
    that shrinking tries: those are to be passed over. Before that, a call that
    it lacks is a fault, NotRecorded.
    """
    try:
        yield
    except _CampaignEnd as end:
        if is_shrinking and isinstance(end.fault, NotRecorded):
            raise NotInRecording(str(end)) from end
        raise
    except NotRecorded as lacking:  # of a clock
        if is_shrinking:
            raise NotInRecording(str(lacking)) from lacking
        raise


def run_campaign(
    implementation: Implementation,
    campaign: Callable[..., object],
    baseline: Implementation | None = None,
) -> None:
    """Run a campaign on `implementation`, and on a baseline if there is one.

    Raises the AdapterFault that ended it, if any.
    """
    implementations = [
        FaultRaisingImplementation(implementation.connection, implementation.contract)
    ]
    if baseline is not None:
        whose = f"the baseline {baseline.connection.option}: "
        implementations.append(
            FaultRaisingImplementation(baseline.connection, baseline.contract, whose)
        )
    try:
        with draws_from_seed_alone():
            campaign(*implementations)
    except _CampaignEnd as end:
        raise end.fault from None
