"""A pytest plugin: for each lie only the cases of its rule, and the first ones of most others.

The whole suite against every lie takes many minutes, and finds no other failure
first: `-m campaign` shows that.
"""

from __future__ import annotations

import pytest

from gallery.exhibits import lying
from pytest_reedbackup.cases import case_of
from pytest_reedbackup.run import FIXTURE

FIRST_OF_MANY = (
    "ticket/create/archive",
    "ticket/create/no-indices",
    "ticket/create/content/small",
    "ticket/create/source-untouched/small",
    "ticket/create/no-tables",
    "ticket/create/info",
    "ticket/create/same-second",
    "ticket/list/order",
    "ticket/list/empty/no-backups-folder",
    "ticket/list/foreign/a-word",
    "ticket/list/read-only",
    "ticket/create/special-file/fifo",
    "ticket/create/failure-leaves-nothing",
    "ticket/restore/exact-tree",
    "ticket/restore/report/small",
    "ticket/restore/others-untouched",
    "ticket/restore/pick",
    "ticket/restore/none",
    "ticket/restore/idempotent",
    "ticket/restore/foreign-archive/gnu",
    "ticket/restore/extremes/exact",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    broken = {exhibit.option: exhibit.breaks for exhibit in lying()}
    chosen = []
    for item in items:
        case = case_of(item)
        option = item.callspec.params[FIXTURE].option  # type: ignore[attr-defined]
        if case and (case.rule == broken.get(option) or case.id in FIRST_OF_MANY):
            chosen.append(item)
    items[:] = chosen
