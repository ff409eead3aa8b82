"""What a run is to hold against what, known before anything runs.

The cases of the suite are read from its files, and not taken from what pytest
collected: other plugins and options (--lf, -k, --ignore) leave tests out of that,
and what they left out must be seen.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.case import Case, Kind, Waits, case_of, declared_by
from pytest_reedbackup.model.outcome import Key
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.session.choice import Choice
from pytest_reedbackup.session.pytest_internals import parameters_of
from pytest_reedbackup.session.suite.place import is_of_another_contract, suite_folder
from reedbase_backup.adapter.protocol import Contract

FIXTURE = "_reedbackup_implementation"
"""The fixture that has the implementation under test as its parameter."""


def suite_cases() -> tuple[Case, ...]:
    """Return every case of the suite, of either contract."""
    return tuple(case for contract in RULES for case in cases_of(contract))


@cache
def cases_of(contract: str) -> tuple[Case, ...]:
    """Return the suite's cases of one contract; no file that is another's alone is read."""
    cases: dict[str, Case] = {}
    for path in sorted(suite_folder().rglob("test_*.py")):
        if not is_of_another_contract(path, [contract]):
            for case in _declared_in(path):
                if case.contract == contract:
                    cases.setdefault(case.id, case)
    return tuple(cases.values())


def target_of(item: pytest.Item) -> Target | None:
    """Return what a collected test is held against; None where it takes no implementation."""
    target: Target | None = parameters_of(item).get(FIXTURE)
    return target


def divide(metafunc: pytest.Metafunc, shares: int) -> None:
    """Make a case whose test takes the argument `share` that many tests."""
    if any(declared_by(metafunc.function)):
        ids = [f"share-{share}" for share in range(shares)]
        metafunc.parametrize("share", range(shares), ids=ids)


@dataclass(frozen=True)
class Planned:
    """One case that is to be held against one implementation, and so has an outcome."""

    target: Target
    case: Case
    node_id: str = ""
    """What pytest calls the test; empty where the suite's files say that there is one."""

    @property
    def key(self) -> Key:
        """Whose outcome is to come of it."""
        return self.target.option, self.target.contract, self.case.id


def planned_of_suite(targets: Sequence[Target], choice: Choice) -> list[Planned]:
    """Return the suite's cases for each target. Raise UsageError where none is chosen."""
    all_of_suite = [
        Planned(target, case) for target in targets for case in cases_of(target.contract)
    ]
    chosen = [planned for planned in all_of_suite if choice.has(planned.case)]
    if not chosen:
        raise choice.no_case_matches(planned.case for planned in all_of_suite)
    return chosen


def planned_of_items(items: Iterable[pytest.Item]) -> list[Planned]:
    """Return the cases among a user's own tests that were collected."""
    return [
        Planned(target, case, item.nodeid)
        for item in items
        if (case := case_of(item)) is not None and (target := target_of(item)) is not None
    ]


def left_out(planned: Iterable[Planned]) -> Mapping[Contract, int]:
    """Return how many of the suite's cases are not in the plan, by contract."""
    chosen: dict[Contract, set[str]] = {}
    for one in planned:
        chosen.setdefault(one.target.contract, set()).add(one.case.id)
    return {
        contract: sum(case.id not in case_ids for case in cases_of(contract))
        for contract, case_ids in chosen.items()
    }


Place = tuple[int, int, int, int]
"""Where something comes in a run, and in its reports."""


def place_of(case: Case, target: Target, targets: Sequence[Target]) -> Place:
    """Return a key that puts each implementation after the other, in the order of its rules.

    Each rule comes after those that it relies on. Those that another process may
    run meanwhile, which rely on everything, come after the others of an
    implementation; then those that measure, by when that process is idle, and
    generated examples. Cases of a rule keep the suite's order.
    """
    rules = list(RULES.get(case.contract, ()))
    of_rule = rules.index(case.rule) if case.rule in rules else len(rules)
    return targets.index(target), _stage(case), of_rule, _suite_order(case.contract).get(case.id, 0)


def after_all(targets: Sequence[Target]) -> Place:
    """Return the place of what is no case of the run's plan."""
    return len(targets), 0, 0, 0


def position(item: pytest.Item, targets: Sequence[Target], *, is_shared: bool) -> Place:
    """Return a key that puts tests in the order in which they run; a user's own come after all.

    Where workers share a run, those that wait come first: whoever waits last keeps all others up.
    """
    case, target = case_of(item), target_of(item)
    if case is None or target is None:
        return after_all(targets)
    of_target, stage, of_rule, of_suite = place_of(case, target, targets)
    is_first = is_shared and case.waits is Waits.MOSTLY
    return of_target, -1 if is_first else stage, of_rule, of_suite


def _stage(case: Case) -> int:
    if case.is_fuzzing:
        return 3
    if case.kind is Kind.BOUND:
        return 2
    return 1 if case.is_sweep or case.waits is Waits.MOSTLY else 0


@cache
def _suite_order(contract: str) -> Mapping[str, int]:
    return {case.id: place for place, case in enumerate(cases_of(contract))}


@cache
def _declared_in(path: Path) -> list[Case]:
    """Return the cases of one file of the suite, in the order in which it declares them."""
    name = f"_reedbackup_suite_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(specification)
    # Only for as long as it runs: its dataclasses look themselves up there.
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    finally:
        del sys.modules[name]
    tests = [value for key, value in vars(module).items() if key.startswith("test")]
    return [case for test in tests for case in declared_by(test)]
