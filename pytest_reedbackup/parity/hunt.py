"""A hunt for the smallest database on which two implementations of `last` differ."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from hypothesis import given, reject

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.generate.campaign import Fuzzing, OffTheRecording, on_recorded_ground
from pytest_reedbackup.generate.last.sandbox import built
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.generate.last.shrinking import smallest
from pytest_reedbackup.generate.last.strategies import scenarios
from pytest_reedbackup.generate.ticket.machine import scratch_folder
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.parity.comparison import MENDABLE, Comparison, Difference, Tally, observe
from pytest_reedbackup.parity.facts import Side
from pytest_reedbackup.parity.keeping import Found, in_words, keep
from pytest_reedbackup.parity.times import SecondPassed


@dataclass(frozen=True)
class Party:
    """One of the two implementations, whatever base it is called on."""

    implementation: Implementation
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""

    @property
    def name(self) -> str:
        """As given on the command line."""
        return self.implementation.connection.option

    def on(self, base: Path, scenario: Scenario) -> Side:
        """It, with a base of its own, built of the scenario."""
        return Side(self.name, self.implementation, base, self.mended, scenario.locks)


def rehearse(implementation: Implementation, fuzzing: Fuzzing, share: int) -> None:
    """Makes the calls of a hunt on one implementation alone, for a recording of them.

    Who hunts with that recording as the baseline makes just these.
    """

    @fuzzing.seeded(share)
    @fuzzing.settings()
    @given(scenario=scenarios())
    def play(scenario: Scenario) -> None:
        with built(scenario, "b") as (base,):
            try:
                observe(Party(implementation, frozenset()).on(base, scenario), scenario)
            except SecondPassed:
                reject()

    play()


@dataclass
class Hunt:
    """A is held against B, the baseline, on generated databases."""

    a: Party
    b: Party
    folder: Path
    """Where the smallest differing database is kept."""
    repeat: str = ""
    """The command that repeats it."""
    tally: Tally = field(default_factory=Tally)

    def run(self, fuzzing: Fuzzing, share: int) -> None:
        """One share of a campaign. Raises BrokenPromise for the smallest difference."""
        with _scratch() as scratch:

            @fuzzing.seeded(share)
            @fuzzing.settings(shrink=False)
            @given(scenario=scenarios())
            def check(scenario: Scenario) -> None:
                try:
                    self._compare(scenario, self.tally)
                except SecondPassed:
                    reject()
                except Difference as difference:
                    # Past Hypothesis, which would make other draws of it.
                    raise _Differs(scenario, difference) from None

            try:
                check()
            except _Differs as differs:
                self._tell(self._smallest(differs, scratch), fuzzing, share)

    def _compare(self, scenario: Scenario, tally: Tally, after: Path | None = None) -> None:
        """Raises Difference; what is left of both sides is then kept in `after`, if given."""
        with built(scenario, "before", "a", "b") as (before, base_a, base_b):
            try:
                a, b = self.a.on(base_a, scenario), self.b.on(base_b, scenario)
                Comparison(a, b, tally).play(scenario)
            except Difference:
                if after is not None:
                    # Renamed, not copied.
                    before.parent.parent.rename(after)
                    before.parent.parent.mkdir()
                raise

    def _smallest(self, differs: _Differs, scratch: Path) -> Found:
        """The smallest scenario that differs; the one that was found where it does not again."""
        scenario = smallest(differs.scenario, lambda each: _differ(each, self.a, self.b) is True)
        try:
            with on_recorded_ground(is_shrinking=True):
                self._compare(scenario, Tally(), scratch / "after")
        except Difference as difference:
            return Found(scenario, difference, scratch / "after")
        except (OffTheRecording, SecondPassed):
            pass
        return Found(differs.scenario, differs.difference, None)

    def _tell(self, found: Found, fuzzing: Fuzzing, share: int) -> NoReturn:
        """Keeps what was found, and raises it in words."""
        folder = self.folder / f"seed-{fuzzing.seed}-{found.scenario.digest[:12]}"
        told = in_words(found, self.a.name, self.b.name)
        told += self._hints(found.scenario)
        if found.after is None:
            told.append("it does not differ every time that the calls are made")
        if fuzzing.shares > 1:
            told.append(f"found by worker share {share}: repeat it with -n {fuzzing.shares}")
        keep(found, folder, [found.what, *told, self.repeat])
        broken = BrokenPromise(
            found.what,
            expected="\n".join(found.difference.lines(found.difference.b)),
            found="\n".join(found.difference.lines(found.difference.a)),
            cause=Cause.BEHAVIOUR,
        )
        for line in [*told, f"kept in {folder}"]:
            broken.add_note(line)
        raise broken from None

    def _hints(self, scenario: Scenario) -> list[str]:
        """What declared, or not declared, would make the difference a defect's, exactly."""
        return [
            _hint(defect, party)
            for defect in MENDABLE
            for party, a, b in (
                (self.a, _toggled(self.a, defect), self.b),
                (self.b, self.a, _toggled(self.b, defect)),
            )
            if _differ(scenario, a, b) is False
        ]


class _Differs(BaseException):
    """The two differ. No Exception, so that Hypothesis lets it pass."""

    def __init__(self, scenario: Scenario, difference: Difference) -> None:
        super().__init__(str(difference))
        self.scenario = scenario
        self.difference = difference


def _toggled(party: Party, defect: str) -> Party:
    return replace(party, mended=party.mended ^ {defect})


def _differ(scenario: Scenario, a: Party, b: Party) -> bool | None:
    """Whether they differ; None where a recording has no answer, or time got in the way."""
    with built(scenario, "a", "b") as (base_a, base_b):
        try:
            with on_recorded_ground(is_shrinking=True):
                sides = a.on(base_a, scenario), b.on(base_b, scenario)
                Comparison(*sides, Tally()).play(scenario)
        except Difference:
            return True
        except (OffTheRecording, SecondPassed):
            return None
    return False


def _hint(defect: str, party: Party) -> str:
    advice = f"if {party.name} does the safe thing, have it declare {defect}"
    if defect in party.mended:
        advice = f"{party.name} declares {defect}, but does what the baseline does"
    return f"this is just defect {defect} ({DEFECTS[defect]}): {advice} (--reedbackup-divergences)"


@contextmanager
def _scratch() -> Iterator[Path]:
    """Where the last differing database waits to be kept; the folder is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-", dir=scratch_folder()))
    try:
        yield folder
    finally:
        remove_tree(folder)
