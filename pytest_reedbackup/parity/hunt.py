"""A hunt for the smallest database on which two implementations of `last` differ."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from hypothesis import given, reject
from hypothesis.errors import Flaky

from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.failures import BrokenPromise
from pytest_reedbackup.fuzz.campaign import Fuzzing, OffTheRecording, on_recorded_ground
from pytest_reedbackup.fuzz.last_histories import scenarios
from pytest_reedbackup.fuzz.machine import scratch_folder
from pytest_reedbackup.fuzz.sandbox import built
from pytest_reedbackup.fuzz.scenarios import Scenario
from pytest_reedbackup.fuzz.shares import shares
from pytest_reedbackup.parity import creates, lists
from pytest_reedbackup.parity.comparison import Comparison, Difference, Tally, observe
from pytest_reedbackup.parity.facts import Side
from pytest_reedbackup.parity.keeping import Found, in_words, keep
from pytest_reedbackup.restores import MENDABLE
from pytest_reedbackup.subject import Subject

# When a recording has lacked so many of the smaller examples, it hardly has others.
_PATIENCE = 100
_MENDABLE = (*MENDABLE, *creates.MENDABLE, *lists.MENDABLE)


@dataclass(frozen=True)
class Party:
    """One of the two implementations, whatever base it is called on."""

    subject: Subject
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""

    @property
    def name(self) -> str:
        """As given on the command line."""
        return self.subject.implementation.option

    def on(self, base: Path) -> Side:
        """It, with a base of its own."""
        return Side(self.name, self.subject, base, self.mended)


def rehearse(subject: Subject, fuzzing: Fuzzing, share: int) -> None:
    """Makes the calls of a hunt on one implementation alone, for a recording of them.

    Who hunts with that recording as the baseline makes just these.
    """

    @fuzzing.seeded(share)
    @fuzzing.settings()
    @given(scenario=scenarios())
    def play(scenario: Scenario) -> None:
        with built(scenario, "b") as (base,):
            observe(Party(subject, frozenset()).on(base), scenario)

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
            found: list[Found] = []
            passed_over = 0

            @fuzzing.seeded(share)
            @fuzzing.settings()
            @given(scenario=scenarios())
            def check(scenario: Scenario) -> None:
                nonlocal passed_over
                try:
                    with on_recorded_ground(is_shrinking=bool(found)):
                        self._compare(scenario, scratch, found)
                except OffTheRecording:
                    passed_over += 1
                    if passed_over == _PATIENCE:
                        raise _SmallestRecorded from None
                    reject()

            try:
                check()
            except (Difference, _SmallestRecorded):
                self._tell(found[-1], fuzzing, share, always=True)
            except Flaky:
                # The last try did not show it again: it is a difference all the same.
                self._tell(found[-1], fuzzing, share, always=False)

    def _compare(self, scenario: Scenario, scratch: Path, found: list[Found]) -> None:
        with built(scenario, "before", "a", "b") as (before, base_a, base_b):
            try:
                Comparison(self.a.on(base_a), self.b.on(base_b), self.tally).play(scenario)
            except Difference as difference:
                after = scratch / "after"
                shutil.rmtree(after, ignore_errors=True)
                # Renamed, not copied: it is one try of hundreds.
                before.parent.parent.rename(after)
                before.parent.parent.mkdir()
                found[:] = [Found(scenario, difference, after)]
                raise

    def _tell(self, found: Found, fuzzing: Fuzzing, share: int, *, always: bool) -> NoReturn:
        """Keeps what was found, and raises it in words."""
        folder = self.folder / f"seed-{fuzzing.seed}-{found.scenario.digest[:12]}"
        told = in_words(found, self.a.name, self.b.name)
        told += self._hints(found.scenario)
        if not always:
            told.append("it does not differ every time that the calls are made")
        if len(shares()) > 1:
            told.append(f"found by worker share {share}: repeat it with -n {len(shares())}")
        keep(found, folder, [found.what, *told, self.repeat])
        broken = BrokenPromise(
            found.what,
            expected="\n".join(found.difference.lines(found.difference.b)),
            found="\n".join(found.difference.lines(found.difference.a)),
        )
        for line in [*told, f"kept in {folder}"]:
            broken.add_note(line)
        raise broken from None

    def _hints(self, scenario: Scenario) -> list[str]:
        """What declared, or not declared, would make the difference a defect's, exactly."""
        return [
            _hint(defect, party)
            for defect in _MENDABLE
            for party, a, b in (
                (self.a, _toggled(self.a, defect), self.b),
                (self.b, self.a, _toggled(self.b, defect)),
            )
            if not _differ(scenario, a, b)
        ]


class _SmallestRecorded(BaseException):
    """A recording has no smaller example. No Exception, so that Hypothesis lets it pass."""


def _toggled(party: Party, defect: str) -> Party:
    return replace(party, mended=party.mended ^ {defect})


def _differ(scenario: Scenario, a: Party, b: Party) -> bool:
    """Whether they differ; they do as far as anybody knows where a recording has no answer."""
    with built(scenario, "a", "b") as (base_a, base_b):
        try:
            with on_recorded_ground(is_shrinking=True):
                Comparison(a.on(base_a), b.on(base_b), Tally()).play(scenario)
        except (Difference, OffTheRecording):
            return True
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
