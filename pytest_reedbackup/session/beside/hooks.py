"""Which tests a process beside this one runs, and what they come to here."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from functools import partial
from itertools import takewhile

import pytest

from pytest_reedbackup.databases.spare import Spare
from pytest_reedbackup.databases.spec import HISTORY_10K
from pytest_reedbackup.model.case import Kind, Waits, case_of
from pytest_reedbackup.model.sweep import Faults
from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.beside.claims import Claims
from pytest_reedbackup.session.beside.endings import FunctionEnding
from pytest_reedbackup.session.beside.process import OtherProcess, Report, is_possible
from pytest_reedbackup.session.beside.running import (
    ends_as,
    is_watched,
    mostly_waits,
    run_tests,
)
from pytest_reedbackup.session.places import clones_of, templates_of
from pytest_reedbackup.session.planning import target_of
from pytest_reedbackup.session.settings import Settings

_LAST_NICE = 19
"""For what is in nobody's way: the lowest priority that there is."""

_SHARED = "shared"
"""The lane of what this process and another share, each from its end."""

_WORTH_SHARING = 5
"""Of fewer tests, this process has run most before another has begun."""


class Beside:
    """Hands tests to other processes, and has them end here as they did there."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._others: dict[str, OtherProcess] = {}
        """By the lanes of the cases whose tests they have."""
        self._lanes: dict[str, str] = {}
        self._waiting: list[str] = []
        """Targets that have not begun, in their order."""
        self._last: set[str] = set()
        """Tests, of which there are none but those that wait after the first that comes."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fork before any test runs, where that makes the run shorter."""
        self._lanes = _lanes(session.items)
        if not self._is_wanted(session.items):
            return (yield)
        self._folders = pytest_internals.temporary_folders(self._config)
        shared = [node_id for node_id, lane in self._lanes.items() if lane == _SHARED]
        self._claims = Claims(self._folders.mktemp("claims"), shared)
        # The same for all, and this one removes them.
        self._clones = clones_of(self._config, self._folders)
        self._waiting = list(dict.fromkeys(_name(item) for item in session.items))
        if not self._config.getoption("maxfail"):  # whoever ends with the first one goes by rules
            session.items.sort(key=self._place)
        self._last = {item.nodeid for item in takewhile(mostly_waits, reversed(session.items))}
        try:
            self._fork(session.items)
            return (yield)
        finally:
            for other in self._others.values():
                other.close()
            self._others.clear()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Let the others begin with a target when this process does."""
        if _name(item) in self._waiting[:1]:
            self._waiting.pop(0)
            for other in self._others.values():
                other.go()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Wait for what became of a test there; where nothing did, it runs here."""
        if item.nodeid in self._last:
            self._last.clear()
            self._clones.begin_to_remove()
        with ends_as(item, self._ending_of(item.nodeid)):
            return (yield)

    def _ending_of(self, node_id: str) -> FunctionEnding | None:
        """Return how a test ends that another process has, or will have; None of all others."""
        other = self._others.get(self._lanes.get(node_id, ""))
        return None if other is None or self._takes(node_id) else other.ending_of(node_id)

    def _takes(self, node_id: str) -> bool:
        """Return whether a test that is shared is this process's to run."""
        return self._lanes.get(node_id) == _SHARED and self._claims.take(node_id)

    def _is_wanted(self, items: Sequence[pytest.Item]) -> bool:
        """Return whether this is the suite, not in whole sweeps, and nobody shares or watches."""
        settings, option = self._settings, self._config.getoption
        is_shared = settings.workers > 1 or option("dist", "no") != "no"
        is_short = settings.runs_suite and settings.faults is not Faults.FULL
        lanes = {self._lanes.get(item.nodeid) for item in items}
        is_mixed = len(lanes) > 1 or _SHARED in lanes
        return (
            is_short
            and is_mixed
            and not (is_shared or settings.is_recorded or is_watched(self._config))
            and is_possible()
        )

    def _place(self, item: pytest.Item) -> tuple[int, int]:
        """Return a key that puts what this process may do before what it waits for.

        Each target stays together. What measures comes when the others are idle, or sleep.
        """
        case = case_of(item)
        if case is None or self._lanes.get(item.nodeid) == _SHARED:
            stage = 0
        elif case.waits is Waits.MOSTLY:
            stage = 3
        elif case.kind is Kind.BOUND:
            stage = 2
        else:
            stage = 1 if item.nodeid in self._lanes else 0
        return self._waiting.index(_name(item)), stage

    def _fork(self, items: Sequence[pytest.Item]) -> None:
        """Start a process a lane, with a work a target."""
        for lane in sorted(set(self._lanes.values())):
            its_own = [item for item in items if self._lanes.get(item.nodeid) == lane]
            if lane == _SHARED:
                its_own.reverse()
            works = [
                partial(self._run, [item for item in its_own if _name(item) == target])
                for target in self._waiting
            ]
            self._others[lane] = OtherProcess(works)
        if any(case.kind is Kind.BOUND for item in items if (case := case_of(item))):
            self._others["databases"] = OtherProcess([self._build])

    def _build(self, report: Report) -> None:
        """Have the database ready, by another process, that takes longest to build and to clone."""
        os.nice(_LAST_NICE)
        Spare(templates_of(self._config, self._folders), HISTORY_10K).make()

    def _run(self, items: Sequence[pytest.Item], report: Report) -> None:
        if not items:
            return  # a target of whose contract no case is for this process
        self._others, self._waiting, self._last = {}, [], set()
        run_tests(items[0].session, filter(self._is_mine, items), report)

    def _is_mine(self, item: pytest.Item) -> bool:
        return self._lanes.get(item.nodeid) != _SHARED or self._takes(item.nodeid)


def _lanes(items: Sequence[pytest.Item]) -> dict[str, str]:
    """Return which of the other processes tests are for, by their node ids; of none for this one.

    What waits leaves the processors to others, mostly or often. Where there are sweeps, they are
    what the second one is for: they visit as much as they get to. Else it shares what is left.
    """
    known = {item.nodeid: case for item in items if (case := case_of(item)) is not None}
    lanes, others = {}, []
    for node_id, case in known.items():
        if case.is_sweep:
            lanes[node_id] = case.kind.value
        elif case.waits is not Waits.LITTLE:
            lanes[node_id] = case.id
        elif case.kind is not Kind.BOUND:
            others.append(node_id)
    if len(others) < _WORTH_SHARING or any(case.is_sweep for case in known.values()):
        return lanes
    return lanes | dict.fromkeys(others, _SHARED)


def _name(item: pytest.Item) -> str:
    return str(target_of(item))
