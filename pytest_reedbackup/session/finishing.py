"""The end of a run: what came of every case, the verdicts, and the reports of them."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence, Set
from functools import cached_property
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.drift.rows import Drift, drift_of
from pytest_reedbackup.model.case import Case, case_of
from pytest_reedbackup.model.grouping import by_cause
from pytest_reedbackup.model.outcome import CaseOutcome, Key
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.verdict import Result, results
from pytest_reedbackup.reports import registry
from pytest_reedbackup.reports.terminal import last_line
from pytest_reedbackup.reports.writer import Writer, drive
from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.attempts import CollectedOutcomes, phase_outcome
from pytest_reedbackup.session.judging import (
    not_checked,
    outcome_of,
    shows_more,
    with_divergence,
)
from pytest_reedbackup.session.planning import Planned, after_all, left_out, place_of, target_of
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.session.suite.afresh import arguments_of

# Options of pytest that leave tests out, and what each is when it does not.
_LEAVING_OUT = {
    "keyword": "-k",
    "markexpr": "-m",
    "lf": "--lf",
    "stepwise": "--sw",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "setuponly": "--setup-only",
}

# Where a worker of pytest-xdist says which of a user's own tests are cases.
_PLANNED = "reedbackup_planned"


class Finishing:
    """Collect what came of the cases, and drive whatever reports on it."""

    def __init__(self, config: pytest.Config, settings: Settings, planned: list[Planned]) -> None:
        self._config = config
        self._settings = settings
        self._planned = planned
        self._collected = CollectedOutcomes()
        self._stopped = ""
        self._is_interrupted = False
        self._record = RunRecord.begin(
            arguments_of(config),
            seed=settings.seed,
            examples=settings.examples,
            targets=settings.targets,
            divergences=settings.declared.entries,
        )

    def plan(self, planned: Sequence[Planned]) -> None:
        """Have these cases be held against the implementations, too."""
        known = {(one.key, one.node_id) for one in self._planned}
        self._planned += [one for one in planned if (one.key, one.node_id) not in known]
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_PLANNED] = [
                (*one.key[:2], msgspec.to_builtins(one.case), one.node_id) for one in self._planned
            ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Under pytest-xdist: take from a worker which of a user's own tests are cases."""
        self.plan(
            [
                Planned(self._settings.target(option, contract), msgspec.convert(case, Case), name)
                for option, contract, case, name in getattr(node, "workeroutput", {}).get(
                    _PLANNED, ()
                )
            ]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a report carries; under pytest-xdist those of all workers."""
        self._collected.add(report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell a user who stops the run from a plugin that does (--sw, pytest-xdist's -x).

        A plugin's is of a kind of its own, derived from KeyboardInterrupt.
        """
        self._stopped = str(excinfo.value) or excinfo.typename
        self._is_interrupted = excinfo.type in (KeyboardInterrupt, pytest.exit.Exception)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Write the files that were asked for, and set the exit status after everybody else."""
        if self._has_nothing_to_say:
            return (yield)
        self._stopped = self._stopped or str(session.shouldfail or session.shouldstop or "")
        self._drive([registry.file_writer(*report) for report in self._settings.report_files])
        if self.results:
            self._drive(registry.environment_writers(os.environ))
        yield
        session.exitstatus = self.exit_status(session.exitstatus)

    def exit_status(self, status: int | pytest.ExitCode) -> int | pytest.ExitCode:
        """Return what the run ends with, where pytest and its plugins make it `status`.

        Of a run of the suite it is the verdicts' alone; a user's own tests, in a
        run with paths, may fail it too. What ended the run from within or by
        hand keeps its own status, unless that would be 0.
        """
        failed_itself = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
        is_by_hand = self._is_interrupted and status != pytest.ExitCode.OK
        if self._has_nothing_to_say or is_by_hand or status in failed_itself:
            return status
        verdicts = max((result.exit_status for result in self.results), default=0)
        if self._settings.runs_suite or (verdicts and status == pytest.ExitCode.OK):
            return pytest.ExitCode(verdicts)
        is_empty = status == pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest.ExitCode(verdicts) if is_empty and self.results else status

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Write what is for the terminal, after pytest's own lists."""
        if self._has_nothing_to_say or not self.results:
            return (yield)
        counted = pytest_internals.counted_by(terminalreporter)
        last_line.leave_out(counted, self._is_told_below)
        yield
        self._drive(registry.screen_writers(_TerminalScreen(terminalreporter)))
        last_line.count_cases(counted, self._outcomes, self._is_case)
        pytest_internals.recolour(terminalreporter)

    @property
    def _has_nothing_to_say(self) -> bool:
        """In a worker of pytest-xdist, and where nothing was to run."""
        return hasattr(self._config, "workerinput") or bool(self._config.option.collectonly)

    @cached_property
    def _outcomes(self) -> list[CaseOutcome]:
        """One a case, whatever ran first. To be asked for at the end of the run only."""
        targets = self._settings.targets
        places = {one.key: place_of(one.case, one.target, targets) for one in self._planned}
        outcomes = self._collected.outcomes(self._planned, self._not_checked)
        outcomes.sort(key=lambda outcome: places.get(outcome.key, after_all(targets)))
        return [with_divergence(outcome, self._settings) for outcome in outcomes]

    @cached_property
    def results(self) -> list[Result]:
        """In the order in which the implementations were given."""
        order = [(target.option, target.contract) for target in self._settings.targets]
        return sorted(
            results(self._outcomes, left_out(self._planned)),
            key=lambda result: order.index((result.implementation, result.contract)),
        )

    @cached_property
    def _drift(self) -> Drift | None:
        return drift_of(self.results, self._settings.targets, self._settings.source)

    def _drive(self, writers: Sequence[Writer]) -> None:
        drive(writers, self._record, self._outcomes, self.results, self._drift)

    def _not_checked(self, planned: Planned) -> CaseOutcome:
        """Return the outcome of a case of which no report of the kit came, with the reason."""
        return outcome_of(
            planned.case,
            planned.target,
            not_checked(self._reason(planned.node_id)),
            self._settings,
            planned.node_id,
        )

    def _reason(self, node_id: str) -> str:
        if reason := self._collected.foreign_reason(node_id):
            return f"no outcome came of its test: {reason}"
        if self._stopped:
            return f"the run was stopped before it: {self._stopped}"
        options = [
            option for name, option in _LEAVING_OUT.items() if getattr(self._config.option, name, 0)
        ]
        by = f"{', '.join(options)} or another plugin" if options else "another plugin"
        return f"its test was left out of the run, by {by}"

    def _is_case(self, entry: object) -> bool:
        """Return whether a report or a test is of a case, for which its outcome is counted."""
        if isinstance(entry, pytest.Item):
            case, target = case_of(entry), target_of(entry)
            if case is None or target is None:
                return False
            return Planned(target, case).key in self._keys
        if not isinstance(entry, pytest.TestReport):
            return False
        return self._settings.runs_suite or entry.nodeid in self._node_ids

    def _is_told_below(self, entry: object) -> bool:
        """Return whether the summary has all that is to be said of a report of a case.

        What a case printed, and where in the harness an error came up, it has not;
        these are shown of the first case of each cause.
        """
        if not isinstance(entry, pytest.TestReport) or not self._is_case(entry):
            return False
        outcome = phase_outcome(entry)
        is_first = outcome is not None and outcome.key in self._first_of_causes
        return not (is_first and shows_more(entry))

    @cached_property
    def _first_of_causes(self) -> Set[Key]:
        return {cases[0].key for cases in by_cause(self._outcomes)}

    @cached_property
    def _keys(self) -> Set[Key]:
        return {one.key for one in self._planned}

    @cached_property
    def _node_ids(self) -> Set[str]:
        return {one.node_id for one in self._planned}


class _TerminalScreen:
    """pytest's terminal, as writers of reports see it."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        terminal = reporter.config.get_terminal_writer()
        self.width = terminal.fullwidth
        self.has_colour = terminal.hasmarkup
        self.is_verbose = reporter.config.get_verbosity() > 0

    def section(self, title: str) -> None:
        """Begin a part of the output under a line with its title."""
        self._reporter.section(title, sep="=")

    def write(self, text: str) -> None:
        """Write lines."""
        self._reporter.write(text)
