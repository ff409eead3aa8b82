"""A pytest plugin: for each lie the cases of its rule, some that come before, and no more.

It ends with the first failure of each. The whole suite against every lie takes
many minutes and finds no other failure first, as `pytest -m campaign` shows.
"""

from __future__ import annotations

from typing import Any

import pytest

from gallery.exhibits import lying
from pytest_reedbackup.cases import Case, case_of
from pytest_reedbackup.run import FIXTURE

FIRST_OF_MANY = (
    "ticket/create/archive",
    "ticket/create/no-indices",
    "ticket/create/content/small",
    "ticket/create/info",
    "ticket/list/order",
    "ticket/create/special-file/fifo",
    "ticket/restore/exact-tree",
    "ticket/restore/others-untouched",
    "ticket/restore/pick",
    "ticket/restore/none",
    "ticket/restore/foreign-archive/gnu",
)
"""Cases that a lie about another rule must not fail first."""

_caught: set[str] = set()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    broken = {exhibit.option: exhibit.breaks for exhibit in lying()}
    items[:] = [item for item in items if _is_wanted(_case(item), broken[_option(item)])]


def _is_wanted(case: Case, broken: str) -> bool:
    return case.id in FIRST_OF_MANY or (case.rule == broken and not case.is_fuzzing)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if _option(item) in _caught:
        pytest.skip("caught already")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    told: dict[str, Any] | None = getattr(report, "reedbackup", None)
    if told is not None and told["outcome"] == "fail":
        _caught.add(told["implementation"])


def _case(item: pytest.Item) -> Case:
    case = case_of(item)
    assert case is not None
    return case


def _option(item: pytest.Item) -> str:
    option: str = item.callspec.params[FIXTURE].option  # type: ignore[attr-defined]
    return option
