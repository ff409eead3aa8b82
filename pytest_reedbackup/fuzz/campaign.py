"""How much to generate, from which seed, and how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity


def shares() -> list[int]:
    """The parts of a campaign: one for each worker of pytest-xdist, or a single one."""
    return list(range(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))


@dataclass(frozen=True)
class Fuzzing:
    """A number of examples and a seed, divided among the workers."""

    examples: int = 40
    seed: int = 0

    def settings(self, share: int, steps: int = 12) -> hypothesis.settings:
        """Hypothesis settings for one share; nothing is remembered between runs."""
        return hypothesis.settings(
            max_examples=max(1, -(-self.examples // len(shares()))),
            stateful_step_count=steps,
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
