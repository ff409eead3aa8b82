"""Tests run in another process and end here, unless somebody watches this one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import pytest

from pytest_reedbackup.model.case import Waits, case_of
from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.beside.endings import FunctionEnding
from pytest_reedbackup.session.beside.process import Report
from pytest_reedbackup.session.watching import ending_of, replaced

_TOOLS = 6
"""How many there may be (Python's documentation of sys.monitoring)."""

ALONE = pytest.StashKey[bool]()
"""In the stash of a configuration: its run keeps all tests in its own process."""


def run_tests(session: pytest.Session, items: Iterable[pytest.Item], report: Report) -> None:
    """Run tests, in another process, and say what their functions came to."""
    pytest_internals.end_capture(session.config)
    remaining = iter(items)
    item = next(remaining, None)
    try:
        while item is not None:
            following = next(remaining, None)
            started = time.monotonic()
            pytest_internals.run_unseen(item, following)
            ending, took_secs = ending_of(item), time.monotonic() - started
            sections = pytest_internals.logged_in_call(item) + report.printed()
            report(
                FunctionEnding.of(item, ending.error, sections, took_secs)
                if ending.ran
                else FunctionEnding(item.nodeid)
            )
            item = following
    finally:
        pytest_internals.tear_all_down(session)


def ends_as(item: pytest.Item, ending: FunctionEnding | None) -> AbstractContextManager[None]:
    """Have the test's function end as it did there, where that is known, for as long as in it."""
    if ending is None or not isinstance(item, pytest.Function):
        return nullcontext()
    return replaced(item, lambda **_: ending.replay(item))


def mostly_waits(item: pytest.Item) -> bool:
    """Return whether a test is of a case that takes a processor from nobody."""
    case = case_of(item)
    return case is not None and case.waits is Waits.MOSTLY


def is_watched(config: pytest.Config) -> bool:
    """Return whether somebody watches what this process does, and no other.

    Coverage, profilers, debuggers and whoever reads what is printed do.
    """
    option = config.getoption
    is_shown = option("usepdb", False) or option("setuponly", False)
    is_seen = is_shown or option("capture", "no") == "no"
    is_covered = config.pluginmanager.hasplugin("_cov")
    return is_seen or is_covered or config.stash.get(ALONE, False) or _is_traced()


def _is_traced() -> bool:
    """Return whether something follows what this process executes: a debugger, a profiler."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)  # of Python 3.12 and later
    return monitoring is not None and any(map(monitoring.get_tool, range(_TOOLS)))
