"""Differential parity under contract `last`: an implementation beside a baseline.

    pytest --reedbackup-impl=A --reedbackup-baseline=B --reedbackup-case=last/parity/fuzz

Both get byte-identical databases and the same calls, and all that they do is
compared. --reedbackup-examples=N sets how many, --reedbackup-seed=S which. Under
pytest-xdist each worker takes its share of N, with examples of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.checks.timing import RecordFigures
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.model.case import Comparison, Kind, case
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.parity.search import CounterexampleSearch, play_alone
from pytest_reedbackup.parity.sides import Side


@case(
    "last/parity/fuzz",
    "Whatever a database is like, every call does what it does with the baseline.",
    kind=Kind.FUZZING,
    comparison=Comparison.BASELINE,
)
def test_both_do_the_same_on_generated_databases(
    request: pytest.FixtureRequest,
    reedbackup: Implementation,
    reedbackup_is_recorded: bool,
    reedbackup_fuzzing_part: Fuzzing,
    reedbackup_mended: Callable[[Implementation], frozenset[str]],
    reedbackup_differences: Path,
    reedbackup_repeat: str,
    reedbackup_measured: RecordFigures,
    share: int,
) -> None:
    reedbackup.expect_own_type("restore_point_in_time")
    if reedbackup_is_recorded:
        # There need be no baseline: it may become one itself, where it is played back.
        run_campaign(reedbackup, lambda alone: play_alone(alone, reedbackup_fuzzing_part, share))
    baseline = _under_last(request.getfixturevalue("reedbackup_baseline"))

    def campaign(implementation: Implementation, compared: Implementation) -> None:
        a, b = (Side(each, reedbackup_mended(each)) for each in (implementation, compared))
        search = CounterexampleSearch(a, b, reedbackup_differences, reedbackup_repeat)
        try:
            search.run(reedbackup_fuzzing_part, share)
        finally:
            reedbackup_measured(str(search.tally))

    run_campaign(reedbackup, campaign, baseline)


def _under_last(baseline: Implementation) -> Implementation:
    if "last" not in baseline.connection.hello.contracts:
        raise MissingCapability(
            "a baseline of contract last",
            f"{baseline.connection.option} does not claim it",
        )
    return Implementation(baseline.connection, "last")
