"""In a worker of pytest-xdist: what waits keeps none of the worker's other tests up."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import pytest

from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.beside.process import OtherProcess, is_possible
from pytest_reedbackup.session.beside.running import (
    ends_as,
    is_watched,
    mostly_waits,
    run_tests,
)
from pytest_reedbackup.session.places import clones_of
from pytest_reedbackup.session.settings import Settings


class Deferring:
    """Has another process run each test that waits, and reports it after all of this one's."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._is_wanted = settings.runs_suite and not settings.is_recorded
        self._others: dict[pytest.Item, OtherProcess] = {}
        """Those that run the tests."""
        self._is_over = False
        """Whether this process has run all others."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Report at the end what was put off."""
        try:
            result = yield
            self._is_over = True
            for item in self._others:
                pytest_internals.report_again_for(item)
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            return result
        finally:
            for other in self._others.values():
                other.close()
            self._others.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Put off what waits, and pass on to the next test."""
        if self._is_over or not self._may_wait(item):
            return None
        # The same for both, and this process removes them.
        clones_of(self._config, pytest_internals.temporary_folders(self._config))
        self._others[item] = other = OtherProcess([partial(run_tests, item.session, [item])])
        other.go()
        pytest_internals.tear_down(item.session, nextitem)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Have it end here as it did there."""
        other = self._others.get(item)
        with ends_as(item, other.ending_of(item.nodeid) if other is not None else None):
            return (yield)

    def _may_wait(self, item: pytest.Item) -> bool:
        waits = self._is_wanted and mostly_waits(item)
        ends_early = self._config.getoption("maxfail")  # by what is reported first
        is_kept = ends_early or is_watched(self._config)
        is_reportable = pytest_internals.may_be_reported_again(self._config)
        return waits and not is_kept and is_reportable and is_possible()
