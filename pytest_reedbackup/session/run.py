"""One run: the hooks that choose what runs, and see how it ends."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.model.case import case_of, declared_by
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability, UndecidedBound
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.reports.terminal import last_line
from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.attempts import Journal, phase_outcome
from pytest_reedbackup.session.beside.deferring import Deferring
from pytest_reedbackup.session.beside.hooks import Beside
from pytest_reedbackup.session.finishing import Finishing
from pytest_reedbackup.session.judging import show
from pytest_reedbackup.session.planning import (
    FIXTURE,
    Planned,
    planned_of_items,
    planned_of_suite,
    position,
    suite_cases,
    target_of,
)
from pytest_reedbackup.session.progress.lines import ProgressLines
from pytest_reedbackup.session.progress.ticking import Ticking, in_terminal
from pytest_reedbackup.session.recording_hooks import RecordingHooks, ReplayHooks
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.session.suite.place import is_of_another_contract
from pytest_reedbackup.session.watching import watched
from pytest_reedbackup.session.workers import Workers


class Run:
    """The plugin of a run with --reedbackup-impl."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.settings = Settings.from_config(config)
        self._contracts = {target.contract for target in self.settings.targets}
        """Those that something is held against."""
        self.recording_hooks: list[ReplayHooks | RecordingHooks] = [ReplayHooks(self.settings)]
        self.recorder: Recorder | None = None
        if self.settings.record is not None:
            recording = RecordingHooks(config, self.settings, self.settings.record)
            self.recorder = recording.recorder
            self.recording_hooks.append(recording)
        self.finishing = Finishing(config, self.settings, self._planned_at_start())

    @classmethod
    def start(cls, config: pytest.Config) -> None:
        """Begin the run of this configuration: register all that has hooks in it."""
        pytest_internals.check(config)
        config.pluginmanager.register(Workers(config))
        run = cls(config)
        config.stash[_RUN] = run
        for plugin in (run, run.finishing, *run.recording_hooks):
            config.pluginmanager.register(plugin)
        is_worker = hasattr(config, "workerinput")
        config.pluginmanager.register(
            Deferring(config, run.settings) if is_worker else Beside(config, run.settings)
        )
        if run.settings.runs_suite and not is_worker:
            config.pluginmanager.register(ProgressLines(config, run.settings.remarks))
            if in_terminal(config):
                config.pluginmanager.register(Ticking(config))

    @classmethod
    def of(cls, config: pytest.Config) -> Run | None:
        """Return the run of this configuration; None without --reedbackup-impl."""
        return config.stash.get(_RUN, None)

    def _planned_at_start(self) -> list[Planned]:
        """Return all of a run of the suite. Raise UsageError for what the suite cannot be asked."""
        if not self.settings.runs_suite:
            return []
        if self.settings.declared.entries:
            self.settings.check_divergences({case.id for case in suite_cases()})
        return planned_of_suite(self.settings.targets, self.settings.choice)

    def pytest_report_header(self) -> list[str]:
        """Say what is to be known of the settings before anything runs."""
        return list(self.settings.remarks)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Read no file of the suite that is of another contract alone."""
        return is_of_another_contract(collection_path, self._contracts) or None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, obj: object) -> list[pytest.Item] | None:
        """Leave out the cases of a contract that nothing is held against."""
        contracts = {case.contract for case in declared_by(obj)}
        return [] if contracts and not contracts & self._contracts else None

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each implementation; of a case for those of its contract."""
        contracts = {case.contract for case in declared_by(metafunc.function)}
        targets = [
            target
            for target in self.settings.targets
            if not contracts or target.contract in contracts
        ]
        metafunc.fixturenames.append(FIXTURE)
        metafunc.parametrize(FIXTURE, targets, indirect=True, ids=str, scope="session")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None]:
        """Apply --reedbackup-case before others choose, and put what is left in order."""
        choice = self.settings.choice
        left_out = [item for item in items if not choice.has(case_of(item))]
        if left_out:
            cases = [case for item in items if (case := case_of(item)) is not None]
            items[:] = [item for item in items if choice.has(case_of(item))]
            if not items and not self.settings.runs_suite:
                raise choice.no_case_matches(cases)
            self._config.hook.pytest_deselected(items=left_out)
        if not self.settings.runs_suite:
            self.finishing.plan(planned_of_items(items))
        yield
        is_shared = self.settings.workers > 1
        items.sort(key=lambda item: position(item, self.settings.targets, is_shared=is_shared))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Have the suite's tests, and all that is imported, looked at by no collection of garbage.

        Else each does, in the processes that are forked, too, and at the end: a second of 17.
        """
        # Once a process: what is garbage of an earlier run in it would stay.
        if self.settings.runs_suite and not gc.get_freeze_count():
            gc.freeze()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Make a missing capability or an undecided bound a skip in pytest's own terms."""
        with _watched(item):
            try:
                return (yield)
            except (MissingCapability, UndecidedBound) as reason:
                raise pytest.skip.Exception(str(reason)) from reason

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn what happened to a case into its outcome, after all others had their say."""
        report = yield
        case, target = case_of(item), target_of(item)
        if case is not None and target is not None:
            outcome = Journal(item, case, target, self.settings).add(report, call)
            if outcome is not None:
                show(outcome, report, call)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Show the outcome of a case, and not what pytest makes of it."""
        outcome = phase_outcome(report)
        is_final = report.outcome in ("passed", "failed", "skipped")
        return last_line.status_of(outcome) if outcome is not None and is_final else None


_RUN = pytest.StashKey[Run]()


def _watched(item: pytest.Item) -> AbstractContextManager[None]:
    """Watch a test that takes an implementation, and blame that for what it left unreadable."""
    if not isinstance(item, pytest.Function) or target_of(item) is None:
        return nullcontext()
    implementation = item.funcargs.get("reedbackup")

    def blame(error: OSError) -> BrokenPromise | None:
        return (
            implementation.connection.blamed_for(error)
            if isinstance(implementation, Implementation)
            else None
        )

    return watched(item, blame)
