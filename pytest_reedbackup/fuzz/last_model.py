"""A scenario's restores held against the model of contract `last`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pytest_reedbackup.databases.tables import Unreadable
from pytest_reedbackup.databases.tree import Tree
from pytest_reedbackup.failures import BrokenPromise
from pytest_reedbackup.fuzz.sandbox import built
from pytest_reedbackup.fuzz.scenarios import Restore, Scenario
from pytest_reedbackup.promises import expect, expect_same_tree, refusal_of
from pytest_reedbackup.restores import MENDABLE, expect_restore, fates
from pytest_reedbackup.subject import Subject


def play(subject: Subject, scenario: Scenario, mended: Collection[str]) -> None:
    """Builds the database and restores it, as the scenario says, and checks all that it does.

    `mended` are the defects, by id, in whose place the subject does the safe
    thing. Raises BrokenPromise.
    """
    with built(scenario, "a") as (base,):
        for call in scenario.calls:
            if isinstance(call, Restore):
                _restore(subject, base, call.target, mended)


def just_of_a_defect(subject: Subject, scenario: Scenario, mended: Collection[str]) -> list[str]:
    """The defects, by id, of which it would be no broken promise to say otherwise."""
    return [defect for defect in MENDABLE if _is_kept(subject, scenario, set(mended) ^ {defect})]


def _is_kept(subject: Subject, scenario: Scenario, mended: Collection[str]) -> bool:
    try:
        play(subject, scenario, mended)
    except BrokenPromise:
        return False
    return True


def _restore(subject: Subject, base: Path, target: int, mended: Collection[str]) -> None:
    try:
        expected = fates(base, target, mended)
    except Unreadable as error:
        before = Tree.read(base)
        answer = subject.restore_point_in_time(base, target)
        refusal = refusal_of(answer, f"a restore to {target}", (error.kind,))
        expect("the error's fields", refusal.fields, dict(error.fields))
        expect_same_tree("the base after the refusal", Tree.read(base), before)
        return
    expect_restore(subject, base, target, expected, leftovers=True)
