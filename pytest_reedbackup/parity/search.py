"""Search for the smallest scenario in which two implementations of `last` differ."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from hypothesis import given, reject

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.generate.campaign import Fuzzing, NotInRecording, within_recording
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.generate.last.shrinking import shrink
from pytest_reedbackup.generate.last.strategies.scenarios import scenarios
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.parity.call_times import SecondOverrun
from pytest_reedbackup.parity.comparison import (
    MENDABLE,
    Comparison,
    Difference,
    Tally,
    observe_alone,
)
from pytest_reedbackup.parity.counterexamples import Counterexample, describe, save
from pytest_reedbackup.parity.sides import Side


def play_alone(implementation: Implementation, fuzzing: Fuzzing, share: int) -> None:
    """Make the calls of a search on one implementation alone, to record them.

    A search makes just these calls on its baseline, until it has found a
    difference; so the recording can be the baseline.
    """

    @fuzzing.seeded(share)
    @fuzzing.settings()
    @given(scenario=scenarios())
    def play(scenario: Scenario) -> None:
        with temporary_bases(scenario, "b") as (base,):
            try:
                observe_alone(Side(implementation, frozenset()).run_on(base, scenario), scenario)
            except SecondOverrun:
                reject()

    play()


@dataclass
class CounterexampleSearch:
    """Compare A with B, the baseline, on generated databases."""

    a: Side
    b: Side
    folder: Path
    """Where the counterexample is saved."""
    repeat: str = ""
    """The command that repeats the search."""
    tally: Tally = field(default_factory=Tally)

    def run(self, fuzzing: Fuzzing, share: int) -> None:
        """Try one share of the examples. Raises BrokenPromise for a counterexample, shrunk."""
        with scratch() as folder:

            @fuzzing.seeded(share)
            @fuzzing.settings(shrink=False)
            @given(scenario=scenarios())
            def check(scenario: Scenario) -> None:
                try:
                    self._compare(scenario, self.tally)
                except SecondOverrun:
                    reject()
                except Difference as difference:
                    # Past Hypothesis, which would shrink the draws; here it is the scenario itself.
                    raise _SearchEnd(scenario, difference) from None

            try:
                check()
            except _SearchEnd as end:
                self._report(self._shrunk(end, folder), fuzzing, share)

    def _compare(self, scenario: Scenario, tally: Tally, after: Path | None = None) -> None:
        """Raise Difference where the sides differ; `after` then gets both bases, if it is given."""
        with temporary_bases(scenario, "before", "a", "b") as (before, base_a, base_b):
            try:
                a, b = self.a.run_on(base_a, scenario), self.b.run_on(base_b, scenario)
                Comparison(a, b, tally).play(scenario)
            except Difference:
                if after is not None:
                    # Renamed, not copied.
                    before.parent.parent.rename(after)
                    before.parent.parent.mkdir()
                raise

    def _shrunk(self, end: _SearchEnd, folder: Path) -> Counterexample:
        """Return the smallest counterexample; the first one, where the smallest differs no more."""
        scenario = shrink(end.scenario, lambda each: _differ(each, self.a, self.b) is True)
        try:
            with within_recording(is_shrinking=True):
                self._compare(scenario, Tally(), folder / "after")
        except Difference as difference:
            return Counterexample(scenario, difference, folder / "after")
        except (NotInRecording, SecondOverrun):
            pass
        return Counterexample(end.scenario, end.difference, None)

    def _report(self, counterexample: Counterexample, fuzzing: Fuzzing, share: int) -> NoReturn:
        """Save the counterexample, and raise BrokenPromise with a description of it."""
        folder = self.folder / f"seed-{fuzzing.seed}-{counterexample.scenario.digest[:12]}"
        lines = describe(counterexample, self.a.name, self.b.name)
        lines += self._hints(counterexample.scenario)
        if counterexample.after is None:
            lines.append("it does not differ every time that the calls are made")
        if fuzzing.shares > 1:
            lines.append(f"found by worker share {share}: repeat it with -n {fuzzing.shares}")
        save(counterexample, folder, [counterexample.title, *lines, self.repeat])
        difference = counterexample.difference
        broken = BrokenPromise(
            counterexample.title,
            expected="\n".join(difference.lines(difference.b)),
            found="\n".join(difference.lines(difference.a)),
            cause=Cause.BEHAVIOUR,
        )
        for line in [*lines, f"kept in {folder}"]:
            broken.add_note(line)
        raise broken from None

    def _hints(self, scenario: Scenario) -> list[str]:
        """Return a line for each defect that would explain it, were it declared, or were it not."""
        return [
            _hint(defect, side)
            for defect in MENDABLE
            for side, a, b in (
                (self.a, _toggle(self.a, defect), self.b),
                (self.b, self.a, _toggle(self.b, defect)),
            )
            if _differ(scenario, a, b) is False
        ]


class _SearchEnd(BaseException):
    """A counterexample ends the search. No Exception, so that Hypothesis lets it pass."""

    def __init__(self, scenario: Scenario, difference: Difference) -> None:
        super().__init__(str(difference))
        self.scenario = scenario
        self.difference = difference


def _toggle(side: Side, defect: str) -> Side:
    return replace(side, mended=side.mended ^ {defect})


def _differ(scenario: Scenario, a: Side, b: Side) -> bool | None:
    """Say whether the sides differ; None where a recording or a second was left."""
    with temporary_bases(scenario, "a", "b") as (base_a, base_b):
        try:
            with within_recording(is_shrinking=True):
                runs = a.run_on(base_a, scenario), b.run_on(base_b, scenario)
                Comparison(*runs, Tally()).play(scenario)
        except Difference:
            return True
        except (NotInRecording, SecondOverrun):
            return None
    return False


def _hint(defect: str, side: Side) -> str:
    advice = f"if {side.name} does the safe thing, have it declare {defect}"
    if defect in side.mended:
        advice = f"{side.name} declares {defect}, but does what the baseline does"
    return f"this is just defect {defect} ({DEFECTS[defect]}): {advice} (--reedbackup-divergences)"
