"""A run's lines by groups of rules, and each case by its id: nobody knows the suite's files."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import pytest

from pytest_reedbackup.model.case import Case, case_of
from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.planning import target_of
from pytest_reedbackup.session.suite.afresh import arguments_of, remarks_of
from pytest_reedbackup.session.suite.place import runs_suite
from reedbase_backup import __version__

_BENCHMARK = "--benchmark"
_MOST_IN_A_STRETCH = 11


def ask_for_less(config: pytest.Config) -> None:
    """Have pytest and pytest-benchmark say of a run of the suite what people asked for only."""
    if not runs_suite(config):
        return
    if not any(argument.startswith(_BENCHMARK) for argument in arguments_of(config)):
        # Its table is 200 characters wide; what bounds need is in the summary.
        config.option.benchmark_quiet = True
    config.option.no_header = config.get_verbosity() <= 0 or config.option.no_header


class ProgressLines:
    """Names what runs, in the terminal."""

    def __init__(self, config: pytest.Config, remarks: Iterable[str]) -> None:
        self._config = config
        self._remarks = list(remarks)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Say in a line what runs, and then what is to be known of the settings."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._config.get_verbosity() != 0:
            return
        kit = f"pytest-reedbackup {__version__}"
        python = f"Python {platform.python_version()}, {platform.system()}"
        for line in (
            f"{kit}, pytest {pytest.__version__}, {python}",
            *remarks_of(self._config),
            *self._remarks,
        ):
            reporter.write_line(line)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """From now on show cases by their ids."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            pytest_internals.name_tests(reporter, *_names(session.items))


def _names(items: Iterable[pytest.Item]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return by node id the group of rules that a case is of, and the case's id."""
    cases = {item: case for item in items if (case := case_of(item)) is not None}
    targets = {str(target_of(item)) for item in cases}
    groups = {item.nodeid: line for line, items in _lines(cases) for item in items}
    ids = {
        item.nodeid: f"{case.id} {target_of(item)}" if len(targets) > 1 else case.id
        for item, case in cases.items()
    }
    return groups, ids


def _lines(cases: Mapping[pytest.Item, Case]) -> Iterator[tuple[str, Sequence[pytest.Item]]]:
    """Yield the groups of rules in the order of the cases, short stretches of them in one line."""
    lines: list[list[_Stretch]] = []
    for (contract, group), items in groupby(cases, key=lambda item: _group(cases[item])):
        stretch = _Stretch(contract, group, list(items))
        if lines and all(each.fits_beside(stretch) for each in lines[-1]):
            lines[-1].append(stretch)
        else:
            lines.append([stretch])
    for line in lines:
        named = ", ".join(dict.fromkeys(each.group for each in line))
        yield f"{line[0].contract}/{named}", [item for each in line for item in each.items]


class _Stretch(NamedTuple):
    """Cases of one group that come one after the other."""

    contract: str
    group: str
    items: Sequence[pytest.Item]

    def fits_beside(self, other: _Stretch) -> bool:
        """Return whether a line has room for both."""
        is_short = max(len(self.items), len(other.items)) <= _MOST_IN_A_STRETCH
        return is_short and self.contract == other.contract


def _group(case: Case) -> tuple[str, str]:
    return case.contract, case.rule.partition("/")[0]
