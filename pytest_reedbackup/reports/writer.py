"""What a writer of a report is: it hears of a run, of each case, and of the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.verdict import Result


class Writer(Protocol):
    """Makes one report of a run; `registry` has one line for each kind.

    Its methods are called in this order, `start` and `finish` once. A class that
    derives from this one may leave out `start` and `case`.
    """

    def start(self, run: RunRecord) -> None:
        """Take what is known of the run."""
        return  # no abstract method

    def case(self, outcome: CaseOutcome) -> None:
        """Take what came of one case; each case comes once, whatever ran of it how often."""
        return  # no abstract method

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Take the verdicts, and write the report. Raise OSError where that fails."""


class Screen(Protocol):
    """Where reports for people go."""

    @property
    def width(self) -> int:
        """Characters in a line."""

    @property
    def has_colour(self) -> bool:
        """Whether terminal colours are shown as such."""

    @property
    def is_verbose(self) -> bool:
        """Whether all is to be shown, however long (-v)."""

    def section(self, title: str) -> None:
        """Begin a part of the output."""

    def write(self, text: str) -> None:
        """Write lines."""


def drive(
    writers: Iterable[Writer],
    run: RunRecord,
    outcomes: Sequence[CaseOutcome],
    results: Sequence[Result],
    drift: Drift | None,
) -> None:
    """Have each of `writers` make its report of a run that has ended."""
    for writer in writers:
        writer.start(run)
        for outcome in outcomes:
            writer.case(outcome)
        writer.finish(results, drift)
