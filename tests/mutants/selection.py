"""A pytest plugin: for each mutant the cases of its rule, some that come before, and no more.

It ends with the first failure of each. With --mutants-whole every case runs, but
for those that take seconds and come last: the whole takes many minutes and finds
no other failure first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields

import pytest

from mutants.catalogue import Mutant, mutants
from pytest_reedbackup.contracts import ticket
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit
from pytest_reedbackup.model.case import Case, case_of
from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.session.attempts import phase_outcome
from pytest_reedbackup.session.beside.running import ALONE
from pytest_reedbackup.session.planning import FIXTURE
from pytest_reedbackup.views.folders import Whole

FIRST_OF_MANY = (
    "ticket/create/archive",
    "ticket/create/no-indices",
    "ticket/create/content/small",
    "ticket/create/info",
    "ticket/list/order",
    "ticket/create/special-file/fifo",
    "ticket/restore/exact-tree",
    "ticket/restore/others-untouched",
    "ticket/restore/none",
    "ticket/restore/foreign-archive/gnu",
)
"""Cases that a mutant that breaks another rule must not fail first; each meets half of them."""

RULES = list(ticket.RULES)

_caught: set[str] = set()


SLOW_AND_LAST = ("restore/atomic", "bounds/create-10k", "bounds/restore-10k", "bounds/ratio")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutants-whole", action="store_true", help="every case against every mutant")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ALONE] = True  # what was caught before is known in one process only


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    by_option = {mutant.option: mutant for mutant in mutants()}
    is_whole = config.getoption("mutants_whole")
    items[:] = [i for i in items if _is_wanted(_case(i), by_option[_option(i)], is_whole)]
    # They take longest, and run only against what nothing else has caught.
    items.sort(key=lambda item: _case(item).is_sweep)


def _is_wanted(case: Case, mutant: Mutant, is_whole: bool) -> bool:
    broken = mutant.breaks
    if case.contract != "ticket" or case.is_fuzzing:
        return False
    if case.rule == broken and mutant.shown_by:
        return case.id == mutant.shown_by
    if case.is_sweep:
        return case.rule == broken
    if is_whole and case.rule not in SLOW_AND_LAST:
        return True
    # A value of another shape fails whatever case gets it first.
    comes_before = RULES.index(case.rule) < RULES.index(broken) and broken != "surface/types"
    return case.rule == broken or (comes_before and case.id in _met_by(mutant))


def _met_by(mutant: Mutant) -> tuple[str, ...]:
    """Return every other case of `FIRST_OF_MANY`: the odd or the even ones, by the name."""
    return FIRST_OF_MANY[zlib.crc32(mutant.option.encode()) % 2 :: 2]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if _option(item) in _caught and not item.config.getoption("mutants_whole"):
        pytest.skip("caught already")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """One broken point is all that it takes, and a sweep may have thousands."""
    sweeper = pyfuncitem.funcargs.get("reedbackup_sweep")
    if isinstance(sweeper, Sweeper):
        (at,) = {mutant.at for mutant in mutants() if mutant.option == _option(pyfuncitem)}
        fields = {field.name: getattr(sweeper, field.name) for field in dataclass_fields(sweeper)}
        pyfuncitem.funcargs["reedbackup_sweep"] = Aimed(
            **{**fields, "ends_when_broken": True}, at=at
        )


@dataclass(frozen=True)
class Aimed(Sweeper):
    """Visits the points of which `at` is a pattern: of the id, and what it is about after it."""

    at: str = ""

    def sweep(self, visits: Sequence[Visit], wholes: Sequence[Whole] = ()) -> None:
        """Visit them as any sweep does."""
        super().sweep([v for v in visits if re.search(self.at, f"{v.point} {v.about}")], wholes)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    outcome = phase_outcome(report)
    if outcome is not None and outcome.outcome is Outcome.FAIL:
        _caught.add(outcome.implementation)


def _case(item: pytest.Item) -> Case:
    case = case_of(item)
    assert case is not None
    return case


def _option(item: pytest.Item) -> str:
    option: str = item.callspec.params[FIXTURE].option  # type: ignore[attr-defined]
    return option
