"""How much to generate, from which seed, and how to repeat it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity

from pytest_reedbackup.fuzz.draws import from_the_seed_alone
from pytest_reedbackup.fuzz.shares import shares
from pytest_reedbackup.implementations.client import Answer
from pytest_reedbackup.implementations.faults import AdapterFault
from pytest_reedbackup.subject import Subject

# Steps of a state machine in one example.
_STEPS = 12


@dataclass(frozen=True)
class Fuzzing:
    """A number of examples and a seed, divided among cases and workers."""

    examples: int = 100
    seed: int = 0

    def portion(self, share: float) -> Fuzzing:
        """The part of a campaign that one case tries: at least one example."""
        return Fuzzing(max(1, round(self.examples * share)), self.seed)

    def settings(self) -> hypothesis.settings:
        """Hypothesis settings for one share; nothing is remembered between runs."""
        return hypothesis.settings(
            max_examples=max(1, -(-self.examples // len(shares()))),
            stateful_step_count=_STEPS,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=(Phase.generate, Phase.shrink),
            verbosity=Verbosity.normal,
            suppress_health_check=list(HealthCheck),
        )

    def seeded(self, share: int) -> Callable[[Any], Any]:
        """A decorator that makes one share draw its own examples, the same ones each time."""
        return hypothesis.seed(self.seed * 1_000_003 + share)


class FaultsEscape(Subject):
    """A subject whose adapter's faults end the campaign at once.

    They are not the implementation's broken promise, and Hypothesis would wait
    for a hanging adapter hundreds of times to find the shortest way to it.
    """

    def _call(self, method: str, base: Path, **params: int) -> Answer:
        try:
            return super()._call(method, base, **params)
        except AdapterFault as fault:
            raise _CalledOff(fault) from fault


class _CalledOff(BaseException):
    """No Exception, so that Hypothesis lets it pass."""

    def __init__(self, fault: AdapterFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def run_campaign(subject: Subject, campaign: Callable[[Subject], object]) -> None:
    """Runs a campaign on `subject`; raises the AdapterFault that ended it, if any."""
    try:
        with from_the_seed_alone():
            campaign(FaultsEscape(subject.implementation, subject.contract))
    except _CalledOff as called_off:
        raise called_off.fault from None
